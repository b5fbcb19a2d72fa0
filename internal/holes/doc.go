// Package holes has a test for every hole that a model of the protocol found (docs/protocol.md): the smallest scenario,
// run with all rules in force, where it must end well, and with the rule that closes the hole switched off, where it must
// not. The scenarios run on the store in memory with virtual time, and the good halves on JetStream too.
package holes
