package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/durablegen/durablegen/cmd/durable/internal/exit"
	"github.com/durablegen/durablegen/runtime/natsbackend"
)

// permissions are what programs are told of a role.
type permissions struct {
	Hub         string                  `json:"hub"`
	Role        natsbackend.Role        `json:"role"`
	Permissions natsbackend.Permissions `json:"permissions"`
}

func permissionsCommand(s *session) *cobra.Command {
	var role, nsc string
	var scope natsbackend.Scope
	var roles []string
	for _, r := range natsbackend.Roles() {
		roles = append(roles, string(r))
	}
	cmd := &cobra.Command{
		Use:   "permissions --role ROLE",
		Short: "Print the least NATS permissions that a role needs in the hub",
		Long: `Print the least NATS permissions that a role needs in the hub, as a block of a nats-server configuration, as JSON, or
as a command of nsc. It asks no server.

  starter   starts orchestrations, sends them events, and sees what becomes of them
  viewer    only looks
  operator  suspends, resumes, cancels, terminates, rewinds, restarts and purges; steers schedules
  worker    runs orchestrations and activities
  admin     creates, changes, saves, mends and removes the hub`,
		Example: `  durable permissions --role starter --hub orders --group orders
  durable permissions --role worker --nsc worker-1 | sh`,
		Args: between(0, 0, ""),
		RunE: func(*cobra.Command, []string) error {
			cfg, err := s.Config()
			if err != nil {
				return err
			}
			scope.Hub, scope.Domain = cfg.Hub, cfg.Domain
			p, err := natsbackend.PermissionsOf(natsbackend.Role(role), scope)
			if err != nil {
				return exit.With(exit.Usage, err)
			}
			if nsc != "" {
				return nscCommand(s.stdout, nsc, p)
			}
			return s.printer().One(permissions{scope.Hub, natsbackend.Role(role), p}, role, func(w io.Writer) { fmt.Fprint(w, p) })
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&role, "role", "", strings.Join(roles, ", "))
	complete(cmd, "role", roles)
	flags.StringSliceVar(&scope.Groups, "group", nil, "`group` of orchestrators that a starter may start and an operator steer, may be repeated; none: all, without queries")
	flags.IntVar(&scope.Partitions, "partitions", 0, "that the hub has (default 8)")
	flags.StringVar(&scope.Inbox, "inbox", "", "`prefix` of the user's inboxes (default _INBOX); with one of its own, no other user sees its answers")
	flags.BoolVar(&scope.Large, "large-payloads", false, "who is no worker may store and read payloads of more than 256 KiB; that takes a consumer, which may be told to deliver anywhere in the account")
	flags.BoolVar(&scope.Follow, "follow", false, "a viewer or operator may follow the log (durable tail); that takes a consumer of it, and so the user could change those of workers")
	flags.BoolVar(&scope.OwnIDs, "own-ids", false, "a starter may choose ids and create schedules, and so also overwrite what is shown of others")
	flags.StringVar(&nsc, "nsc", "", "print a command of nsc that gives the permissions to this `user`")
	return cmd
}

// nscCommand prints what gives a user permissions with nsc, for a shell.
func nscCommand(w io.Writer, user string, p natsbackend.Permissions) error {
	quoted := func(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }
	_, err := fmt.Fprintf(w, "nsc edit user --name %s --allow-pub %s --allow-sub %s\n",
		quoted(user), quoted(strings.Join(p.Publish, ",")), quoted(strings.Join(p.Subscribe, ",")))
	return err
}
