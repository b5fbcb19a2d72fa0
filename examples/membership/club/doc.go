// Package club is the membership administration of a club: how an applicant becomes a member, and how a membership
// goes on from year to year until it ends.
//
// Four orchestrators tell the story, and read like it:
//
//   - Join takes an application to a membership, or to the reason why not (join.go, board.go, admission.go).
//   - VerifyPhone and VerifyEmail are its two children (verify.go).
//   - Renewal keeps a membership for ever, one execution a season (renewal.go).
//
// What they do to the world they do through activities: methods of Notifier, Treasurer and Secretary, whose
// dependencies are the small interfaces beside them. Office is the way in from outside.
//
// Activities run at least once, so each of them gives the outside world a key that stays the same on every attempt of
// the same call; the outside world does a thing once per key.
package club

//go:generate go tool durablegen .
