// Package replaycheck runs code over the histories of a hub before it is deployed: over those of the instances that live, and
// of some that have ended. It only reads; the permissions of a viewer are enough.
//
// `durablegen check -against nats://…` builds a program around [Main] and runs it. A program that needs more to read the
// hub, such as the keys of its payloads, calls [Check] itself.
package replaycheck
