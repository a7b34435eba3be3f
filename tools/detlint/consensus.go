package main

import (
	"go/ast"
	"go/types"
	"strconv"

	"golang.org/x/tools/go/analysis"
)

var consensusAnalyzer = &analysis.Analyzer{
	Name: "consensus",
	Doc:  "report goroutines, clocks, random numbers and (in poaid/x) floats in consensus packages",
	Run:  runConsensus,
}

// clockFuncs read the wall clock or wait on it.
var clockFuncs = map[string]bool{
	"time.Now": true, "time.Since": true, "time.Until": true, "time.After": true,
	"time.Sleep": true, "time.Tick": true, "time.NewTimer": true, "time.NewTicker": true, "time.AfterFunc": true,
}

func runConsensus(pass *analysis.Pass) (any, error) {
	c := newChecker(pass)
	for _, file := range c.consensusFiles() {
		for _, imp := range file.Imports {
			if path, err := strconv.Unquote(imp.Path.Value); err == nil && (path == "math/rand" || path == "math/rand/v2") {
				c.report(imp.Pos(), "%s in a consensus package", path)
			}
		}
		ast.Inspect(file, c.consensusNode)
	}
	return nil, nil
}

// consensusNode reports the findings at one node.
func (c *checker) consensusNode(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.GoStmt:
		c.report(n.Pos(), "go statement in a consensus package")
	case *ast.SelectorExpr:
		if fn, ok := c.TypesInfo.Uses[n.Sel].(*types.Func); ok && clockFuncs[fn.FullName()] {
			c.report(n.Pos(), "%s in a consensus package: use the block time", fn.FullName())
		}
	case *ast.Ident:
		if floatFreePath.MatchString(c.Pkg.Path()) {
			c.floatIdent(n)
		}
	}
	return true
}

// floatIdent reports the names float32 and float64, and variables and struct fields
// whose type is inferred to be one of them.
func (c *checker) floatIdent(id *ast.Ident) {
	if t, ok := c.TypesInfo.Uses[id].(*types.TypeName); ok && t.Parent() == types.Universe && isFloat(t.Type()) {
		c.report(id.Pos(), "%s in poaid/x: use math.Int, math.LegacyDec or integers", id.Name)
	}
	if v, ok := c.TypesInfo.Defs[id].(*types.Var); ok && isFloat(v.Type()) {
		if b, ok := v.Type().(*types.Basic); ok {
			c.report(id.Pos(), "%s is a %s in poaid/x: use math.Int, math.LegacyDec or integers", id.Name, b.Name())
		}
	}
}
