// Package sim runs whole systems (workers, clients, a store in memory) under one seed: crashes, frozen workers, lost and
// doubled messages, late requests, lagging clocks. After healing, every orchestration must have ended as an undisturbed
// one would have, once, and the log must agree with itself.
package sim
