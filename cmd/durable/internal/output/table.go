package output

import (
	"strings"
	"unicode"

	"github.com/rivo/uniseg"
)

// Column is how people see a property of a thing.
type Column[T any] struct {
	Head  string
	Cell  func(T) string
	Style func(T) Style // nil: plain
}

// Style is how a terminal shows a text.
type Style string

// The styles.
const (
	Plain  Style = ""
	Bold   Style = "1"
	Faint  Style = "2"
	Red    Style = "31"
	Green  Style = "32"
	Yellow Style = "33"
	Blue   Style = "34"
)

// Paint gives a text a style, if there are colours.
func (p Printer) Paint(s Style, text string) string { return paint(s, text, p.Color) }

func paint(s Style, text string, color bool) string {
	if !color || s == Plain || text == "" {
		return text
	}
	return "\x1b[" + string(s) + "m" + text + "\x1b[0m"
}

// tabulate aligns columns with two spaces between them. Nothing is cut: an id that is cut is none.
func tabulate[T any](all []T, columns []Column[T], color bool) string {
	rows := make([][]string, len(all)+1)
	widths := make([]int, len(columns))
	for n, c := range columns {
		rows[0] = append(rows[0], c.Head)
		for i, v := range all {
			rows[i+1] = append(rows[i+1], orDash(Clean(c.Cell(v))))
		}
		for _, row := range rows {
			widths[n] = max(widths[n], uniseg.StringWidth(row[n]))
		}
	}
	var b strings.Builder
	for i, row := range rows {
		for n, cell := range row {
			style := Plain
			switch {
			case i == 0:
				style = Bold
			case columns[n].Style != nil:
				style = columns[n].Style(all[i-1])
			}
			b.WriteString(paint(style, cell, color))
			if n < len(row)-1 {
				b.WriteString(strings.Repeat(" ", widths[n]-uniseg.StringWidth(cell)+2))
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func orDash(cell string) string {
	if cell == "" {
		return "-"
	}
	return cell
}

// Clean makes a text fit for one line of a terminal: what users store must not move its cursor.
func Clean(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r) && r != '\u200d':
			return unicode.ReplacementChar
		}
		return r
	}, text)
}
