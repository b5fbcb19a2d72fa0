package lint

import "github.com/durablegen/durablegen/lint/internal/policy"

// PolicyFile is the path of the durablelint.yaml for code in dir, the one beside its go.mod; "" when there is none.
func PolicyFile(dir string) string { return policy.Find(dir) }

// PolicyPath is where the flag of a command stores the path of a durablelint.yaml that is to be read instead.
func PolicyPath() *string { return &policy.Path }
