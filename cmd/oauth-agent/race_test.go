//go:build race

package main

// raceDetector tells that memory is measured with the detector, which takes many times as much.
const raceDetector = true
