package main

import (
	"go/ast"
	"go/types"
	"slices"
	"strings"

	"golang.org/x/tools/go/analysis"
)

var mapRangeAnalyzer = &analysis.Analyzer{
	Name: "maprange",
	Doc:  "report iteration in map order in consensus packages",
	Run:  runMapRange,
}

func runMapRange(pass *analysis.Pass) (any, error) {
	c := newChecker(pass)
	for _, file := range c.consensusFiles() {
		for _, decl := range file.Decls {
			c.mapOrder(decl)
		}
	}
	return nil, nil
}

// mapOrder reports map iteration within one top-level declaration.
func (c *checker) mapOrder(decl ast.Decl) {
	sortedCalls := map[*ast.CallExpr]bool{} // maps.Keys(m) directly inside slices.Sorted
	ast.Inspect(decl, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.RangeStmt:
			if c.isMap(n.X) && !c.collectsKeys(n, decl) {
				c.report(n.Pos(), "range over a map in a consensus package: iterate sorted keys")
			}
		case *ast.CallExpr:
			name := c.callee(n)
			if strings.HasPrefix(name, "slices.Sorted") && len(n.Args) > 0 {
				if inner, ok := ast.Unparen(n.Args[0]).(*ast.CallExpr); ok {
					sortedCalls[inner] = true
				}
			}
			if slices.Contains([]string{"maps.Keys", "maps.Values", "maps.All"}, name) && !sortedCalls[n] {
				c.report(n.Pos(), "%s in a consensus package: its order is random; use slices.Sorted(maps.Keys(m))", name)
			}
		}
		return true
	})
}

func (c *checker) isMap(e ast.Expr) bool {
	t := c.TypesInfo.TypeOf(e)
	if t == nil {
		return false
	}
	_, ok := t.Underlying().(*types.Map)
	return ok
}

// callee returns the full name of the function called, such as slices.Sort.
func (c *checker) callee(call *ast.CallExpr) string {
	fun := ast.Unparen(call.Fun)
	if i, ok := fun.(*ast.IndexExpr); ok {
		fun = i.X
	}
	sel, ok := fun.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	fn, ok := c.TypesInfo.Uses[sel.Sel].(*types.Func)
	if !ok {
		return ""
	}
	return fn.FullName()
}

// collectsKeys reports whether the loop's body is just keys = append(keys, k) and
// keys is sorted after the loop in the same declaration.
func (c *checker) collectsKeys(loop *ast.RangeStmt, decl ast.Decl) bool {
	key, ok := loop.Key.(*ast.Ident)
	if !ok || loop.Value != nil || len(loop.Body.List) != 1 {
		return false
	}
	assign, ok := loop.Body.List[0].(*ast.AssignStmt)
	if !ok || len(assign.Lhs) != 1 || len(assign.Rhs) != 1 {
		return false
	}
	call, ok := assign.Rhs[0].(*ast.CallExpr)
	if !ok || len(call.Args) != 2 {
		return false
	}
	fn, ok := call.Fun.(*ast.Ident)
	if !ok || c.TypesInfo.Uses[fn] != types.Universe.Lookup("append") {
		return false
	}
	keys := c.object(assign.Lhs[0])
	if keys == nil || c.object(call.Args[0]) != keys || c.object(call.Args[1]) != c.TypesInfo.ObjectOf(key) {
		return false
	}
	sorted := false
	ast.Inspect(decl, func(n ast.Node) bool {
		sort, ok := n.(*ast.CallExpr)
		if ok && sort.Pos() > loop.End() && len(sort.Args) > 0 && c.sorts(c.callee(sort)) && c.object(sort.Args[0]) == keys {
			sorted = true
		}
		return !sorted
	})
	return sorted
}

// sorts reports whether the named function sorts its first argument.
func (c *checker) sorts(name string) bool {
	return strings.HasPrefix(name, "slices.Sort") || slices.Contains(
		[]string{"sort.Strings", "sort.Ints", "sort.Float64s", "sort.Slice", "sort.SliceStable", "sort.Sort", "sort.Stable"}, name)
}

// object returns the variable an expression names, looking through one conversion
// (sort.Sort(byName(keys))); nil if it is not a plain variable.
func (c *checker) object(e ast.Expr) types.Object {
	e = ast.Unparen(e)
	if call, ok := e.(*ast.CallExpr); ok && len(call.Args) == 1 && c.TypesInfo.Types[call.Fun].IsType() {
		e = ast.Unparen(call.Args[0])
	}
	id, ok := e.(*ast.Ident)
	if !ok {
		return nil
	}
	return c.TypesInfo.ObjectOf(id)
}
