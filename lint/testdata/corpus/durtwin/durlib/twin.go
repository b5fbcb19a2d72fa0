// Package durlib has the name of another package, and an activity of the same name.
package durlib

//durable:activity
func Print(text string) error { return nil }
