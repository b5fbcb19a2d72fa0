// Package deep is below.
package deep

import "time"

func Stamp() int64 { return now().UnixNano() }

func now() time.Time { return time.Now() }
