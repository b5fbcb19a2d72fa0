// Package owner runs the instances of the partitions that a worker owns: it takes inbox messages in order, applies them
// to live machines, stores what they decide, and acknowledges them.
//
// A [Group] is a worker's share of one group of orchestrators. Membership (heartbeats and rendezvous hashing) decides
// which partitions it owns; a [Partition] feeds its deliveries to instances; an instance is a machine of package engine
// with the outputs that are not yet stored. Everything here is written so that two owners of one instance can only
// waste work (I3): ownership is an optimisation.
//
// Partitions and instances start no goroutine and never block: they are driven by the backend's callbacks, so that the
// same code runs on JetStream and in a simulator with virtual time. One mutex a partition guards its instances.
package owner
