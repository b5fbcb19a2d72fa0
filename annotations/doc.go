// Package annotations reads the //durable: directives that durablegen and its linter act on.
//
// A directive is one comment line directly above a declaration, without a space after the slashes, in the form that Go
// itself uses for //go:generate:
//
//	// SendChallenge texts a fresh code to phone and returns it.
//	//
//	//durable:activity timeout=10s attempts=3 first=5s
//	func (n *Notifier) SendChallenge(ctx context.Context, phone string, digits int) (int, error)
//
// The words, what they mark and the keys they take:
//
//	orchestrator   a function            name= alias= handle= version= group=
//	activity       a function or method  name= alias= handle= timeout= attempts= first= backoff= max= jitter= deadline=
//	                                     heartbeat= concurrency= local
//	event          a type                name= handle=
//	error          an error variable or error type   name=
//	pure           a function, method, interface method, field or variable that holds a function
//	readonly       a package variable
//	allow          a line, a statement or a function: rule ids, then "--" and the reason
//	detached       a line whose future nobody is to wait for
//
// Values are never quoted and hold no spaces. name, alias, version and group are stored names: letters, digits, '_', '.'
// and '-', starting with a letter, at most [MaxName] bytes (a version may start with a digit). Orchestrators of one name
// and different versions are versions of one orchestrator; a function that is named as one with version= and V and a number
// behind it is that version of it. alias= may be repeated or
// hold a comma separated list. handle= is a Go identifier. timeout=, first=, max=, deadline= and heartbeat= are Go
// durations above zero; attempts= counts the first call too; backoff= is a factor of at least 1; jitter= is a fraction;
// concurrency= is the most executions at once in a hub. local is a flag: it has no value.
//
// Every mistake comes back with its position and the accepted form; [File] reports all of them and still returns the
// directives that are right. The functions of this package keep no state and may be called concurrently.
package annotations
