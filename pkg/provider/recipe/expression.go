package recipe

import (
	"errors"
	"fmt"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/types"
	"github.com/expr-lang/expr/vm"
)

// The bounds of an expression. Without loops and variables its time and memory are at most its nodes times
// what a function may return.
const (
	maxSource = 1000
	maxNodes  = 100
	maxMemory = 10_000     // of expr's own count
	maxOutput = 512 * 1024 // bytes that a function returns
)

// program is a compiled expression.
type program struct{ vm *vm.Program }

// scope is what an expression may name.
type scope = types.Map

func compile(text string, in scope) (*program, error) {
	if len(text) > maxSource {
		return nil, fmt.Errorf("the expression is longer than %d bytes", maxSource)
	}
	v := &bounds{in: in}
	options := append([]expr.Option{expr.Env(in), expr.DisableAllBuiltins(), expr.MaxNodes(maxNodes), expr.Patch(v)}, functions()...)
	p, err := expr.Compile(text, options...)
	if err != nil {
		var located *file.Error
		if errors.As(err, &located) {
			return nil, fmt.Errorf("expression, column %d: %s", located.Column+1, located.Message)
		}
		return nil, err
	}
	if v.fault != "" {
		return nil, errors.New("expression: " + v.fault)
	}
	return &program{p}, nil
}

// run evaluates. The error may quote values: it is not shown.
func (p *program) run(env map[string]any) (any, error) {
	m := vm.VM{MemoryBudget: maxMemory}
	return m.Run(p.vm, env)
}

// bounds refuses what would make an expression's cost depend on more than its length, and fields that there
// are not: expr itself does not look at them in a function's arguments.
type bounds struct {
	in    scope
	fault string
}

// Visit looks at one node.
func (b *bounds) Visit(n *ast.Node) {
	if m, ok := (*n).(*ast.MemberNode); ok {
		b.member(m)
	}
	switch n := (*n).(type) {
	case *ast.NilNode, *ast.IdentifierNode, *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.StringNode, *ast.ConstantNode,
		*ast.UnaryNode, *ast.ChainNode, *ast.MemberNode, *ast.SliceNode, *ast.CallNode, *ast.ConditionalNode,
		*ast.ArrayNode, *ast.MapNode, *ast.PairNode:
	case *ast.BinaryNode:
		if n.Operator == ".." || n.Operator == "**" || n.Operator == "^" {
			b.fault = "the operator " + n.Operator + " is not allowed"
		}
	default:
		b.fault = "loops, variables and sequences are not allowed"
	}
}

func (b *bounds) member(m *ast.MemberNode) {
	of, isName := m.Node.(*ast.IdentifierNode)
	field, isField := m.Property.(*ast.StringNode)
	if !isName || !isField {
		return
	}
	fields, known := b.in[of.Value].(scope)
	if !known || fields[types.Extra] != nil || fields[field.Value] != nil {
		return
	}
	b.fault = fmt.Sprintf("unknown field %s.%s", of.Value, field.Value)
}
