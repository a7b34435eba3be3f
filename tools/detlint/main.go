package main

import (
	"go/ast"
	"go/token"
	"regexp"
	"strings"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/unitchecker"
)

func main() { unitchecker.Main(fusionAnalyzer, mapRangeAnalyzer, consensusAnalyzer) }

var (
	consensusPath = regexp.MustCompile(`^poaid/(x/|game|engine$|commit|sprint)`)
	floatFreePath = regexp.MustCompile(`^poaid/x/`)
	enginePath    = regexp.MustCompile(`^poaid/engine(/|$)`)
	// simPath is statistics about the chain, which no chain computes: a last bit that differs is nothing there.
	simPath = regexp.MustCompile(`^poaid/sim/`)
)

const allowPrefix = "//detlint:allow"

// checker reports the findings of one check in one package, minus allowed lines.
type checker struct {
	*analysis.Pass
	allowed map[string]map[int]bool // file name -> lines
}

// newChecker collects the allow comments of the package.
func newChecker(pass *analysis.Pass) *checker {
	c := &checker{Pass: pass, allowed: map[string]map[int]bool{}}
	for _, f := range pass.Files {
		for _, group := range f.Comments {
			for _, comment := range group.List {
				reason, ok := strings.CutPrefix(comment.Text, allowPrefix)
				if !ok {
					continue
				}
				if strings.TrimSpace(reason) == "" {
					pass.Reportf(comment.Pos(), "%s needs a reason", allowPrefix)
					continue
				}
				at := pass.Fset.Position(comment.Pos())
				if c.allowed[at.Filename] == nil {
					c.allowed[at.Filename] = map[int]bool{}
				}
				c.allowed[at.Filename][at.Line] = true
			}
		}
	}
	return c
}

// report reports a finding unless its line is allowed.
func (c *checker) report(pos token.Pos, format string, args ...any) {
	at := c.Fset.Position(pos)
	if !c.allowed[at.Filename][at.Line] {
		c.Reportf(pos, format, args...)
	}
}

// consensusFiles returns the hand-written, non-test files of a consensus package,
// none when the package is not one.
func (c *checker) consensusFiles() []*ast.File {
	if !consensusPath.MatchString(c.Pkg.Path()) {
		return nil
	}
	var files []*ast.File
	for _, f := range c.Files {
		name := c.Fset.Position(f.Pos()).Filename
		if !ast.IsGenerated(f) && !strings.HasSuffix(name, "_test.go") {
			files = append(files, f)
		}
	}
	return files
}
