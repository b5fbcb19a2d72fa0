package shape

// code compares two orchestrators as they are written, where their nodes and values do not tell everything.
func (c *comparison) code(old, now *Orchestrator) (failure, bool) {
	a, b := old.Flow.Code, now.Flow.Code
	if b == nil || a == nil && b.Why == "" || a != nil && a.Sum == b.Sum {
		return failure{}, false
	}
	why := b.Why
	if why == "" {
		why = "there was something in it of which that cannot be told"
	}
	return failure{kind: "code", pos: now.Pos, change: "the code changed, and it cannot be told what that does: " + why}, true
}
