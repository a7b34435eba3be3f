package engine

import "fmt"

// maxStages bounds the rounds of opening that any op may ask for.
const maxStages = 4

// Check refuses an element or fold steps that the node does not have.
func (c *SliceCtx) Check() error {
	if n := c.Out.elems(); c.Elem < 0 || c.Elem >= n {
		return fmt.Errorf("element: %d must be in 0..%d", c.Elem, n-1)
	}
	steps := int64(0)
	if c.Op.Kind == Fold {
		var err error
		if steps, err = c.Op.Steps(c); err != nil {
			return err
		}
	}
	if c.From < 0 || c.From > c.To || c.To > steps || c.From == c.To && c.From < steps {
		return fmt.Errorf("fold steps: %d..%d must be a non-empty range within 0..%d", c.From, c.To, steps)
	}
	if len(c.Acc) > MaxAcc {
		return fmt.Errorf("%w: %d bytes, limit %d", ErrAccumulator, len(c.Acc), MaxAcc)
	}
	return nil
}

// FoldSteps returns the number of fold steps of an output element, 0 for a LOCAL op.
func (n *NodeView) FoldSteps(elem int64) (int64, error) {
	if total := n.Out.elems(); elem < 0 || elem >= total {
		return 0, fmt.Errorf("element: %d must be in 0..%d", elem, total-1)
	}
	if n.Op.Kind != Fold {
		return 0, nil
	}
	return n.Op.Steps(&SliceCtx{NodeView: *n, Elem: elem})
}

// Judge computes one output element (LOCAL, or a FOLD with to = its number of steps), or the accumulator after fold
// steps from..to−1 with acc before them. It asks open for the ranges it needs, stage by stage, and for nothing else;
// open returns a range's little-endian bytes.
func Judge(n *NodeView, elem, from, to int64, acc []byte, open func(r Range) ([]byte, error)) ([]byte, error) {
	opened := NewOpenedRanges(n)
	c := &SliceCtx{NodeView: *n, Elem: elem, From: from, To: to, Acc: acc, Opened: opened}
	if err := c.Check(); err != nil {
		return nil, err
	}
	for range maxStages {
		more, done, err := n.Op.Slice(c)
		if err != nil {
			return nil, err
		}
		for _, r := range more {
			if r.Count == 0 {
				continue
			}
			data, err := open(r)
			if err != nil {
				return nil, fmt.Errorf("open operand %d, elements %d..%d: %w", r.Operand, r.Start, r.Start+r.Count-1, err)
			}
			if err := opened.Add(r, data); err != nil {
				return nil, err
			}
		}
		if done {
			return n.Op.EvalSlice(c)
		}
	}
	return nil, fmt.Errorf("%s asks for more than %d stages", n.Op.Name, maxStages)
}
