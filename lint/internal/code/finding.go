package code

import (
	"go/token"

	"golang.org/x/tools/go/analysis"
)

// Finding is something that breaks a rule.
type Finding struct {
	Rule  string // "DUR105"
	Pos   token.Pos
	What  string // "the future of ChargeActivity.Start"
	Note  string // what more there is to know; "" is nothing
	In    *Func  // whose code it is; nil is a declaration
	Text  string // the whole message, when the generator has one for the same mistake
	Fixes []analysis.SuggestedFix
}
