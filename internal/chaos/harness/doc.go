// Package harness runs a hub on a cluster of server processes, with worker processes and clients, breaks parts of it, and
// counts afterwards: every effect, every record, every end. Programs and tests share it; Main has to be the first that
// either of them calls.
package harness
