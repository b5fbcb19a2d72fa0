package observe

// Join gives hooks that call those of all, in order. Of TraceParent there is one: the last that is not nil,
// with the TraceState beside it.
func Join(all ...Hooks) Hooks {
	var j Hooks
	for _, h := range all {
		j.Started = join(j.Started, h.Started)
		j.Ended = join(j.Ended, h.Ended)
		j.Parked = join(j.Parked, h.Parked)
		j.ArgumentsChanged = join(j.ArgumentsChanged, h.ArgumentsChanged)
		j.LeftBehind = join(j.LeftBehind, h.LeftBehind)
		j.Delivered = join(j.Delivered, h.Delivered)
		j.Turned = join(j.Turned, h.Turned)
		j.Loaded = join(j.Loaded, h.Loaded)
		j.AttemptStarted = join(j.AttemptStarted, h.AttemptStarted)
		j.AttemptEnded = join(j.AttemptEnded, h.AttemptEnded)
		if h.TraceParent != nil {
			j.TraceParent, j.TraceState = h.TraceParent, h.TraceState
		}
	}
	return j
}

func join[T any](a, b func(T)) func(T) {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	}
	return func(v T) { a(v); b(v) }
}
