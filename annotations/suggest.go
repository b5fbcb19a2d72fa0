package annotations

import "strings"

// didYouMean gives the candidate nearest to got, "" when none is near enough to be what was meant.
func didYouMean(got string, candidates []string) string {
	got = strings.ToLower(got)
	best, bestDistance := "", len(got)/3+2 // one slip in a short word, a third of a long one
	for _, c := range candidates {
		if d := distance(got, c); d < bestDistance {
			best, bestDistance = c, d
		}
	}
	return best
}

// distance is the number of single letter edits between a and b, a swap of neighbours counting as one.
func distance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			change := 1
			if a[i-1] == b[j-1] {
				change = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
