package lint

import "github.com/durablegen/durablegen/lint/internal/policy"

// PolicyFile is the path of the durablelint.yaml for code in dir, the one beside its go.mod; "" when there is none.
func PolicyFile(dir string) string { return policy.Find(dir) }
