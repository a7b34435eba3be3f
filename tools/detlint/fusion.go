package main

import (
	"go/ast"
	"go/token"
	"go/types"
	"strings"

	"golang.org/x/tools/go/analysis"
)

var fusionAnalyzer = &analysis.Analyzer{
	Name: "fusion",
	Doc:  "report floating-point products that reach an addition without an explicit conversion",
	Run:  runFusion,
}

// fusion holds the local variables known to carry an unrounded product.
type fusion struct {
	*checker
	products map[*types.Var]bool
}

func runFusion(pass *analysis.Pass) (any, error) {
	if simPath.MatchString(pass.Pkg.Path()) {
		return nil, nil
	}
	f := &fusion{checker: newChecker(pass), products: map[*types.Var]bool{}}
	f.findProducts()
	for _, file := range pass.Files {
		ast.Inspect(file, f.check)
	}
	return nil, nil
}

// findProducts marks variables assigned an unrounded product, until copies of such
// variables add no more.
func (f *fusion) findProducts() {
	for changed := true; changed; {
		before := len(f.products)
		for _, file := range f.Files {
			ast.Inspect(file, f.findProduct)
		}
		changed = len(f.products) > before
	}
}

// findProduct marks the variables assigned a product by one statement.
func (f *fusion) findProduct(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.AssignStmt:
		switch {
		case n.Tok == token.MUL_ASSIGN && f.isFloat(n.Lhs[0]):
			f.mark(n.Lhs[0])
		case (n.Tok == token.ASSIGN || n.Tok == token.DEFINE) && len(n.Lhs) == len(n.Rhs):
			for i, rhs := range n.Rhs {
				if f.isProduct(rhs) {
					f.mark(n.Lhs[i])
				}
			}
		}
	case *ast.ValueSpec:
		for i, value := range n.Values {
			if len(n.Values) == len(n.Names) && f.isProduct(value) {
				f.mark(n.Names[i])
			}
		}
	}
	return true
}

// mark records that the variable e names, if it is one, carries a product.
func (f *fusion) mark(e ast.Expr) {
	if id, ok := e.(*ast.Ident); ok {
		if v, ok := f.TypesInfo.ObjectOf(id).(*types.Var); ok {
			f.products[v] = true
		}
	}
}

// check reports the findings at one node.
func (f *fusion) check(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.BinaryExpr:
		if (n.Op == token.ADD || n.Op == token.SUB) && !f.isConstant(n) {
			f.operand(n.X)
			f.operand(n.Y)
		}
	case *ast.AssignStmt:
		if n.Tok == token.ADD_ASSIGN || n.Tok == token.SUB_ASSIGN {
			f.operand(n.Lhs[0])
			f.operand(n.Rhs[0])
		}
		f.stores(n)
	case *ast.ReturnStmt:
		for _, r := range n.Results {
			f.escape(r, "returned")
		}
	case *ast.CallExpr:
		if !f.TypesInfo.Types[n.Fun].IsType() {
			for _, a := range n.Args {
				f.escape(a, "passed")
			}
		}
	case *ast.SelectorExpr:
		fn, ok := f.TypesInfo.Uses[n.Sel].(*types.Func)
		if ok && fn.FullName() == "math.FMA" && f.Pkg.Path() != "poaid/engine/num" {
			f.report(n.Pos(), "math.FMA outside poaid/engine/num: float32(math.FMA(…)) rounds twice; use num.FMA")
		}
	}
	return true
}

// operand reports an operand of an addition that is an unrounded product.
func (f *fusion) operand(e ast.Expr) {
	if f.isProduct(e) {
		f.report(e.Pos(), "floating-point product feeds an addition unrounded and may be fused: convert it explicitly, as in float32(x*y)")
	}
}

// stores reports, inside the engine, bare products stored to memory.
func (f *fusion) stores(n *ast.AssignStmt) {
	if len(n.Lhs) != len(n.Rhs) || n.Tok != token.ASSIGN {
		return
	}
	for i, lhs := range n.Lhs {
		switch lhs.(type) {
		case *ast.IndexExpr, *ast.SelectorExpr, *ast.StarExpr:
			f.escape(n.Rhs[i], "stored")
		}
	}
}

// escape reports, inside the engine but not in its tests, a bare product that leaves
// the expression: after inlining or store forwarding it may meet an addition.
func (f *fusion) escape(e ast.Expr, how string) {
	if strings.HasSuffix(f.Fset.Position(e.Pos()).Filename, "_test.go") {
		return
	}
	if enginePath.MatchString(f.Pkg.Path()) && f.isProduct(e) {
		f.report(e.Pos(), "floating-point product is %s unrounded and may be fused by its user: convert it explicitly, as in float32(x*y)", how)
	}
}

// isProduct reports whether e is a non-constant floating-point product without a
// conversion around it, possibly negated, or a variable that holds one.
func (f *fusion) isProduct(e ast.Expr) bool {
	switch e := ast.Unparen(e).(type) {
	case *ast.BinaryExpr:
		return e.Op == token.MUL && f.isFloat(e) && !f.isConstant(e)
	case *ast.UnaryExpr:
		return (e.Op == token.SUB || e.Op == token.ADD) && f.isProduct(e.X)
	case *ast.Ident:
		v, ok := f.TypesInfo.ObjectOf(e).(*types.Var)
		return ok && f.products[v]
	}
	return false
}

func (f *fusion) isConstant(e ast.Expr) bool { return f.TypesInfo.Types[e].Value != nil }

func (f *fusion) isFloat(e ast.Expr) bool { return isFloat(f.TypesInfo.TypeOf(e)) }

// isFloat reports whether t is float32, float64, a type based on them, or a type
// parameter that admits one.
func isFloat(t types.Type) bool {
	if t == nil {
		return false
	}
	if p, ok := t.(*types.TypeParam); ok {
		return admitsFloat(p.Constraint())
	}
	b, ok := t.Underlying().(*types.Basic)
	return ok && b.Info()&types.IsFloat != 0
}

// admitsFloat reports whether a constraint's type set has a floating-point term.
func admitsFloat(t types.Type) bool {
	switch t := t.(type) {
	case *types.Union:
		for term := range t.Terms() {
			if admitsFloat(term.Type()) {
				return true
			}
		}
		return false
	default:
		iface, ok := t.Underlying().(*types.Interface)
		if !ok {
			return isFloat(t)
		}
		for e := range iface.EmbeddedTypes() {
			if admitsFloat(e) {
				return true
			}
		}
		return false
	}
}
