package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"strconv"
)

// table is a CSV file: one x axis and the columns over it.
type table struct {
	xName  string
	xs     []float64 // 0, 1, 2… when the axis has words
	words  []string  // nil: the axis has numbers
	panels []panel
}

// panel holds the columns of one unit.
type panel struct {
	unit    string // the name of its only column, when that has no unit
	columns []column
}

type column struct {
	name string
	ys   []float64 // NaN: not measured
}

var withUnit = regexp.MustCompile(`^(.*) \(([^()]+)\)$`)

// read takes the whole file. An error tells the line and the column.
func read(r io.Reader) (*table, error) {
	rows, err := csv.NewReader(r).ReadAll()
	if err != nil {
		return nil, err
	}
	if len(rows) < 2 || len(rows[0]) < 2 {
		return nil, errors.New("want a line of names, a line of values, and two columns at least")
	}
	head, rows := rows[0], rows[1:]
	t := &table{xName: head[0]}
	for _, row := range rows {
		x, err := strconv.ParseFloat(row[0], 64)
		if err != nil {
			t.useWords(rows)
			break
		}
		t.xs = append(t.xs, x)
	}
	for j := 1; j < len(head); j++ {
		c := column{name: head[j]}
		for i, row := range rows {
			y, err := number(row[j])
			if err != nil {
				return nil, fmt.Errorf("line %d, column %q: %w", i+2, head[j], err)
			}
			c.ys = append(c.ys, y)
		}
		t.add(c)
	}
	return t, nil
}

func (t *table) useWords(rows [][]string) {
	t.xs = nil
	for i, row := range rows {
		t.words = append(t.words, row[0])
		t.xs = append(t.xs, float64(i))
	}
}

func number(s string) (float64, error) {
	if s == "" {
		return math.NaN(), nil
	}
	return strconv.ParseFloat(s, 64)
}

func (t *table) add(c column) {
	m := withUnit.FindStringSubmatch(c.name)
	if m == nil {
		t.panels = append(t.panels, panel{unit: c.name, columns: []column{c}})
		return
	}
	c.name = m[1]
	for i := range t.panels {
		if t.panels[i].unit == m[2] {
			t.panels[i].columns = append(t.panels[i].columns, c)
			return
		}
	}
	t.panels = append(t.panels, panel{unit: m[2], columns: []column{c}})
}
