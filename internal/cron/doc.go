// Package cron reads cron expressions and computes when they are due, with a fixed rule for the days on which clocks
// change. It is pure: no clock, no goroutine, no file but through the location that it is given.
package cron
