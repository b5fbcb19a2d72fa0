package natsbackend

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
)

// Role is the part that a user of a hub plays.
type Role string

// The roles. Each reads all of the hub, because the log, the states and the results of all instances lie in the same
// streams; what it may write differs.
const (
	RoleStarter  Role = "starter"  // starts orchestrations, sends them events, and sees what becomes of them
	RoleWorker   Role = "worker"   // runs orchestrations and activities: it may write whatever an instance may
	RoleViewer   Role = "viewer"   // only looks
	RoleOperator Role = "operator" // suspends, resumes, cancels, terminates, rewinds, restarts and purges; steers schedules
	RoleAdmin    Role = "admin"    // creates, changes, saves, mends and removes the hub
)

// Roles lists all roles.
func Roles() []Role { return []Role{RoleStarter, RoleViewer, RoleOperator, RoleWorker, RoleAdmin} }

// Scope says what permissions are for. The zero value is the hub "default", and all of its groups.
type Scope struct {
	Hub    string // defaults to "default"
	Domain string // JetStream domain; defaults to none
	// Groups of orchestrators whose instances a starter may start and send events, and an operator may steer; none: all. Only
	// with them queries are permitted, to those who are no workers: each partition of a group hears them on a subject of its own.
	Groups     []string
	Partitions int    // of the hub's groups; defaults to 8
	Inbox      string // prefix of the user's inboxes; defaults to "_INBOX". One of its own keeps its answers from others
	// Large has users who are no workers read and store payloads of more than 256 KiB, which lie in an object store. Reading it
	// takes a consumer, and a consumer may be told to deliver to any subject of the account: it is trust, too.
	Large bool
	// Follow has a viewer or an operator follow the log as it grows, see durable tail. It takes a consumer of the log: with it, the
	// user could also change the consumers of workers.
	Follow bool
	// OwnIDs has a starter choose ids of instances, and create schedules. They are claimed in the bucket of the states: with it,
	// a starter could also overwrite what is shown of others.
	OwnIDs bool
}

// Permissions are what a NATS user may publish to and subscribe to.
type Permissions struct {
	Publish   []string `json:"publish"`
	Subscribe []string `json:"subscribe"`
}

// PermissionsOf gives the least that a role needs in a hub. The error tells of a role or name that does not exist.
func PermissionsOf(role Role, s Scope) (Permissions, error) {
	s.Hub, s.Inbox, s.Partitions = or(s.Hub, "default"), or(s.Inbox, "_INBOX"), or(s.Partitions, defaultPartitions)
	cfg := Config{Hub: s.Hub, Partitions: s.Partitions, Replicas: 1}
	if err := cfg.validate(); err != nil {
		return Permissions{}, err
	}
	if !inboxName(s.Inbox) {
		return Permissions{}, fmt.Errorf("natsbackend: Scope.Inbox %q: a prefix of inboxes has words of letters, digits, '-' and '_', with dots between them", s.Inbox)
	}
	g := &grants{Scope: s, names: namesOf(s.Hub), api: apiPrefix(s.Domain)}
	g.names.partitions = s.Partitions
	g.subscribe(s.Inbox+".>", g.names.signals+">")
	g.look()
	switch role {
	case RoleStarter:
		g.start()
	case RoleViewer:
		g.watch()
	case RoleOperator:
		g.watch()
		g.steer()
	case RoleWorker:
		g.watch()
		g.work()
	case RoleAdmin:
		g.watch()
		g.work()
		g.own()
	default:
		return Permissions{}, fmt.Errorf("natsbackend: there is no role %q: it is one of %v", role, Roles())
	}
	for _, list := range []*[]string{&g.to.Publish, &g.to.Subscribe} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	return g.to, nil
}

// inboxName reports whether a prefix of inboxes may stand in a subject.
func inboxName(prefix string) bool {
	for word := range strings.SplitSeq(prefix, ".") {
		if word == "" || word != history.EncodeID(word) || strings.Contains(word, "=") {
			return false
		}
	}
	return true
}

// grants collects permissions.
type grants struct {
	Scope
	names names
	api   string
	to    Permissions
}

func (g *grants) publish(subjects ...string)   { g.to.Publish = append(g.to.Publish, subjects...) }
func (g *grants) subscribe(subjects ...string) { g.to.Subscribe = append(g.to.Subscribe, subjects...) }

// ask permits requests of the JetStream API.
func (g *grants) ask(requests ...string) {
	for _, r := range requests {
		g.publish(g.api + r)
	}
}

// look is what connecting and reading takes. It takes no consumer: lists are read page by page without one.
func (g *grants) look() {
	n := &g.names
	g.publish(SyncSubject, g.names.signals+history.EncodeID(backend.WorkersTopic)) // to ask who is there
	g.ask("INFO")
	for _, part := range n.streams() {
		g.ask("STREAM.INFO." + part.stream)
	}
	for _, s := range []string{n.log, n.archive, "KV_" + n.instances, "KV_" + n.meta} {
		g.ask(directGet+"."+s+".>", leaderGet+"."+s)
	}
	for _, s := range []string{n.log, "KV_" + n.instances, "KV_" + n.meta} {
		g.ask(directGet + "." + s)
	}
	if g.Large {
		g.large()
	}
}

// large permits to read what is too big for a message.
func (g *grants) large() {
	s := "OBJ_" + g.names.payloads
	g.ask(directGet+"."+s+".>", "CONSUMER.CREATE."+s+".>", "CONSUMER.DELETE."+s+".*")
	g.publish("$JS.FC." + s + ".>")
}

// watch is what tells how the hub fares: its queues, its workers, and all that it has archived.
func (g *grants) watch() {
	g.publish(userInfo)
	g.ask("CONSUMER.LIST."+g.names.log, directGet+"."+g.names.archive)
	g.query()
	if g.Follow {
		g.ask("CONSUMER.CREATE."+g.names.log+".*", "CONSUMER.MSG.NEXT."+g.names.log+".*")
	}
}

// inbox permits some messages to instances of the groups.
func (g *grants) inbox(messages ...string) {
	groups := []string{"*"}
	if len(g.Groups) > 0 {
		groups = nil
	}
	for _, name := range g.Groups {
		groups = append(groups, history.EncodeID(name))
	}
	for _, group := range groups {
		for _, m := range messages {
			g.publish(g.names.subjects + group + ".*.*.in." + m)
		}
	}
}

func (g *grants) query() {
	for _, group := range g.Groups {
		for p := range g.Partitions {
			g.publish(g.names.signals + history.EncodeID("query."+history.EncodeID(group)+"."+strconv.Itoa(p)))
		}
	}
}

func (g *grants) start() {
	g.ask("CONSUMER.INFO." + g.names.log + ".*") // is the group there?
	g.inbox("start", "event.>")
	g.query()
	if g.Large {
		g.payloads()
	}
	if g.OwnIDs {
		g.states()
	}
}

// scheduleEvents is the event by which schedules are steered, below the inbox.
const scheduleEvents = "event.durable=3Aschedule"

func (g *grants) steer() {
	g.ask("CONSUMER.INFO." + g.names.log + ".*")
	g.inbox("start", "ctl.*", scheduleEvents)
	g.states()
	if g.Large {
		g.payloads()
	}
	g.publish(g.names.archiveSubjects + ">") // a purge leaves a mark there
}

// states permits to write the projection.
func (g *grants) states() { g.bucket(g.names.instances) }

func (g *grants) bucket(name string) {
	subject := "$KV." + name + ".>"
	if g.Domain != "" {
		subject = g.api + subject
	}
	g.publish(subject)
}

// payloads permits to store what is too big for a message.
func (g *grants) payloads() { g.publish("$O." + g.names.payloads + ".>") }

func (g *grants) work() {
	log, states, objects := g.names.log, "KV_"+g.names.instances, "OBJ_"+g.names.payloads
	g.publish(g.names.subjects+">", g.names.archiveSubjects+">", g.names.signals+">")
	g.publish("$JS.ACK."+log+".>", "$JS.ACK.*.*."+log+".>") // the longer one is of a domain
	for _, request := range []string{"CREATE.%s.>", "INFO.%s.*", "MSG.NEXT.%s.*", "UNPIN.%s.*", "RESET.%s.*"} {
		g.ask("CONSUMER." + fmt.Sprintf(request, log))
	}
	g.ask("STREAM.PURGE." + log)
	g.states()
	g.ask("CONSUMER.CREATE."+states+".>", "CONSUMER.MSG.NEXT."+states+".*") // to look for what lives
	g.bucket(g.names.meta)
	g.payloads()
	g.large()
	g.ask(directGet+"."+objects, leaderGet+"."+objects, "STREAM.PURGE."+objects, "STREAM.MSG.DELETE."+objects) // to remove some
}

// own permits whatever concerns the streams of the hub, and no others.
func (g *grants) own() {
	for _, part := range g.names.streams() {
		s := part.stream
		g.ask("STREAM.*."+s, "STREAM.MSG.*."+s, "STREAM.LEADER.STEPDOWN."+s, "STREAM.PEER.REMOVE."+s)
		g.ask("CONSUMER.*."+s, "CONSUMER.*."+s+".>", "CONSUMER.MSG.NEXT."+s+".>", "CONSUMER.DURABLE.CREATE."+s+".>", "CONSUMER.LEADER.STEPDOWN."+s+".>")
		g.publish("$JS.SNAPSHOT.RESTORE."+s+".>", "$JS.SNAPSHOT.ACK."+s+".>", "$JS.FC."+s+".>")
	}
}

// String writes the permissions as a block of a nats-server configuration.
func (p Permissions) String() string {
	var b strings.Builder
	b.WriteString("permissions {\n")
	for _, list := range []struct {
		verb     string
		subjects []string
	}{{"publish", p.Publish}, {"subscribe", p.Subscribe}} {
		fmt.Fprintf(&b, "  %s: [\n", list.verb)
		for _, s := range list.subjects {
			fmt.Fprintf(&b, "    %q\n", s)
		}
		b.WriteString("  ]\n")
	}
	b.WriteString("}\n")
	return b.String()
}

// granted is what a server tells of a user's permissions; nil: it may do everything.
type granted struct {
	Publish, Subscribe struct{ Allow, Deny []string }
}

// cover reports whether permissions are granted.
func (g *granted) cover(p Permissions) bool {
	if g == nil {
		return true
	}
	all := func(allow, deny, wanted []string) bool {
		return !slices.ContainsFunc(wanted, func(s string) bool {
			within := len(allow) == 0 || slices.ContainsFunc(allow, func(a string) bool { return subjectWithin(s, a) })
			return !within || slices.ContainsFunc(deny, func(d string) bool { return subjectsMeet(s, d) })
		})
	}
	return all(g.Publish.Allow, g.Publish.Deny, p.Publish) && all(g.Subscribe.Allow, g.Subscribe.Deny, p.Subscribe)
}

// subjectWithin reports whether every subject that a pattern matches is matched by another one.
func subjectWithin(pattern, by string) bool {
	words, against := strings.Split(pattern, "."), strings.Split(by, ".")
	for n, w := range words {
		switch {
		case n == len(against):
			return false
		case against[n] == ">":
			return true
		case w != against[n] && (against[n] != "*" || w == ">"):
			return false
		}
	}
	return len(words) == len(against)
}

// subjectsMeet reports whether some subject is matched by both patterns.
func subjectsMeet(a, b string) bool {
	x, y := strings.Split(a, "."), strings.Split(b, ".")
	for n := range min(len(x), len(y)) {
		switch {
		case x[n] == ">" || y[n] == ">":
			return true
		case x[n] != y[n] && x[n] != "*" && y[n] != "*":
			return false
		}
	}
	return len(x) == len(y)
}
