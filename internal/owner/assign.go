package owner

import (
	"cmp"
	"hash/fnv"
	"slices"
)

// assign gives every partition of a group to one of the workers, "" to nobody if there are none. It depends on nothing
// but its arguments, so all who know of the same workers agree. Nobody owns more than one partition more than anybody
// else, and when a worker comes or goes little more than its own share moves.
//
// It is rendezvous hashing with a bounded load: of all pairs of a worker and a partition the one with the highest hash
// is served first, unless the worker has its share. Plain rendezvous hashing would leave one of three workers with 5 or
// 6 of 8 partitions every other time.
func assign(workers []string, group string, partitions int) []string {
	owners := make([]string, partitions)
	if len(workers) == 0 {
		return owners
	}
	type pair struct {
		worker, partition int
		hash              uint64
	}
	pairs := make([]pair, 0, len(workers)*partitions)
	for w, name := range workers {
		for p := range partitions {
			pairs = append(pairs, pair{w, p, affinity(name, group, p)})
		}
	}
	slices.SortFunc(pairs, func(a, b pair) int {
		return cmp.Or(cmp.Compare(b.hash, a.hash), cmp.Compare(workers[a.worker], workers[b.worker]), cmp.Compare(a.partition, b.partition))
	})
	share, over := partitions/len(workers), partitions%len(workers) // so many may have one more than the share
	load := make([]int, len(workers))
	for _, c := range pairs {
		switch {
		case owners[c.partition] != "" || load[c.worker] > share:
			continue
		case load[c.worker] == share && over == 0:
			continue
		case load[c.worker] == share:
			over--
		}
		load[c.worker]++
		owners[c.partition] = workers[c.worker]
	}
	return owners
}

// affinity is how much a worker is meant for a partition.
func affinity(worker, group string, partition int) uint64 {
	h := fnv.New64a()
	h.Write([]byte(worker))
	h.Write([]byte{0})
	h.Write([]byte(group))
	h.Write([]byte{0, byte(partition), byte(partition >> 8)})
	// FNV's high bits hardly see the last bytes: mix.
	v := h.Sum64()
	v ^= v >> 33
	v *= 0xff51afd7ed558ccd
	v ^= v >> 33
	return v
}
