//go:build !race

package main

// raceDetector tells that memory is measured with the detector.
const raceDetector = false
