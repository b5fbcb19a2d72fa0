package collect

import (
	"regexp"

	"github.com/durablegen/durablegen/annotations"
)

// An old version of an orchestrator is kept beside the new one as a function of the same name with V and a number:
//
//	//durable:orchestrator version=2
//	func Order(…)
//
//	//durable:orchestrator
//	func OrderV1(…)
//
// OrderV1 is version 1 of Order then, and not an orchestrator of its own. One that has name= is what it says.

var keptName = regexp.MustCompile(`^(.+)V([0-9]+)$`)

// keep gives the old versions of orchestrators the stored name, the group and the version that they go by.
func (c *collector) keep() {
	current := map[string]*Decl{}
	for _, d := range c.out.Decls {
		if d.Word == annotations.Orchestrator && d.Version != "" {
			current[d.Ident] = d
		}
	}
	for _, d := range c.out.Decls {
		m := keptName.FindStringSubmatch(d.Ident)
		if d.Word != annotations.Orchestrator || d.Name != "" || m == nil || current[m[1]] == nil {
			continue
		}
		own, of := *d.Directive, current[m[1]]
		own.Name = of.StoredName(c.out.Name)
		if own.Version == "" {
			own.Version = m[2]
		}
		if own.Group == "" {
			own.Group = of.Group
		}
		d.Directive = &own
	}
}
