// Package gen generates the typed handles and the registration of annotated packages, one file durable_gen.go in each, and
// beside it the lock, durable.lock.json, with which it compares the code of the next time.
//
//	result, err := gen.Generate(ctx, gen.Config{Patterns: []string{"./..."}})
//
// It reads the //durable: directives (package annotations), checks that every annotated declaration can be durable, and
// gives back the bytes of the files together with everything that is wrong. It writes nothing: cmd/durablegen does, and
// it also compares, so generating, checking and showing the difference are three printers of one result.
//
// A package need not compile when Generate is called, since its bodies name handles that may not exist yet; but it must
// compile with the new files, all packages of the run taken together, or there are diagnostics instead of files. So
// packages that call each other's handles are generated in one run, or one after the other in any order.
package gen
