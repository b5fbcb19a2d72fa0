// Package durabletest tests orchestrations without a server and without waiting: a task hub in memory, a worker, and a
// clock that jumps to the next moment at which something happens.
//
//	func TestNobodyConfirms(t *testing.T) {
//		env := durabletest.New(t)
//		env.Register(
//			SignUpOrchestrator.Bind(SignUp),
//			SendMailActivity.Bind(func(ctx context.Context, to, text string) error { return nil }),
//		)
//		done, err := durabletest.Run(SignUpOrchestrator.Start(t.Context(), env.Client(), "ann@example.org"))
//		if err != nil || done {
//			t.Errorf("signed up: %t, %v", done, err)
//		}
//	}
//
// [Env.Client] is a real client, the worker is a real worker, and the log has the form of the real one; only the server
// is played. Time passes while the test waits for an answer of the client, in [Run], [Env.Advance] and the Wait of a
// handle, and at no other moment: between two statements of a test nothing happens.
//
// Activities run as in a worker, real functions or fakes, but one at a time, so that what they share needs no lock. They
// take no virtual time, however long they run, unless they wait with [Env.Sleep].
//
// A test that does not draw random numbers itself sees the same run every time; [Seed] makes another one, [Explore] makes
// many with crashes and lost messages, and [Replay] runs the present code over a history that was saved. [Env.NextBuild] has new code
// take over in the middle of what old code has begun.
package durabletest
