/**
 * @typedef {import('./agent.js').Options} Options
 * @typedef {import('./agent.js').Session} Session
 * @typedef {import('./agent.js').PageLoad} PageLoad
 * @typedef {import('./agent.js').LoginOptions} LoginOptions
 * @typedef {import('./agent.js').EventType} EventType
 * @typedef {import('./agent.js').EventDetail} EventDetail
 */
/**
 * Makes the one agent of a page.
 *
 * @param {Options} options
 * @returns {Agent}
 */
export function createAgent(options: Options): Agent;
export { Agent } from "./agent.js";
export { AgentError } from "./errors.js";
export type Options = import("./agent.js").Options;
export type Session = import("./agent.js").Session;
export type PageLoad = import("./agent.js").PageLoad;
export type LoginOptions = import("./agent.js").LoginOptions;
export type EventType = import("./agent.js").EventType;
export type EventDetail = import("./agent.js").EventDetail;
import { Agent } from './agent.js';
