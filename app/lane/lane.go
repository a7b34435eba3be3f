// Package lane keeps a part of every block for the moves of disputes, so that nobody can win a game by filling blocks.
//
// Ordinary transactions may use a block less its lane; moves may use all of it. A proposal that breaks this is rejected by every honest
// validator. Where moves fill the lane, the clocks of games stand still (Full): whoever crowds out a move gains nothing by it.
//
// CometBFT would cut the transactions that it hands to a proposer at its own limits, in order of arrival, and so hide moves behind
// others. So its limits are off (params.ConsensusParams) and these are the block's limits.
package lane

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
)

// Limits of a block, in bytes of transactions and in the gas that they declare.
type Limits struct {
	Bytes, Gas uint64
	// LaneBytes and LaneGas of them are kept for moves; at most half.
	LaneBytes, LaneGas uint64
	// MoveBytes and MoveGas are the most that a move may be, and what must be free for the lane not to be full.
	MoveBytes, MoveGas uint64
}

// New makes Limits. A lane larger than half a block is cut to that.
func New(bytes, gas, laneBytes, laneGas, moveBytes, moveGas uint64) Limits {
	return Limits{
		Bytes: bytes, Gas: gas, LaneBytes: min(laneBytes, bytes/2), LaneGas: min(laneGas, gas/2), MoveBytes: moveBytes, MoveGas: moveGas,
	}
}

// Tx is what a block's limits look at.
type Tx struct {
	Bytes, Gas uint64
	Move       bool
}

// use is what a block holds so far.
type use struct{ moveBytes, moveGas, bytes, gas uint64 }

// add takes a transaction in if it fits.
func (l *Limits) add(u *use, tx Tx) bool {
	n := *u
	if tx.Move {
		n.moveBytes, n.moveGas = n.moveBytes+tx.Bytes, sum(n.moveGas, tx.Gas)
	} else {
		n.bytes, n.gas = n.bytes+tx.Bytes, sum(n.gas, tx.Gas)
	}
	if n.bytes > l.Bytes-l.LaneBytes || n.gas > l.Gas-l.LaneGas || n.bytes+n.moveBytes > l.Bytes || sum(n.gas, n.moveGas) > l.Gas {
		return false
	}
	*u = n
	return true
}

// sum adds declared gas, which may be anything.
func sum(a, b uint64) uint64 {
	if c := a + b; c >= a {
		return c
	}
	return 1<<64 - 1
}

// Select picks what a proposer puts into a block: transactions in their order, less those that do not fit. Once an ordinary transaction
// has been left out no later one is taken, so that a large one is not passed by for ever; moves go on.
func (l Limits) Select(txs [][]byte) [][]byte {
	var u use
	var out [][]byte
	closed := false
	for _, raw := range txs {
		tx := l.Read(raw)
		if closed && !tx.Move {
			continue
		}
		switch {
		case l.add(&u, tx):
			out = append(out, raw)
		case !tx.Move && tx.Bytes <= l.Bytes-l.LaneBytes && tx.Gas <= l.Gas-l.LaneGas:
			closed = true
		}
	}
	return out
}

// Check refuses a proposal whose transactions exceed the block, or the part of it that is theirs.
func (l Limits) Check(txs [][]byte) error {
	var u use
	for i, raw := range txs {
		if tx := l.Read(raw); !l.add(&u, tx) {
			return fmt.Errorf(
				"transaction %d (%d bytes, %d gas, move: %t) exceeds the block: %d bytes and %d gas, of which %d and %d are kept for moves",
				i, tx.Bytes, tx.Gas, tx.Move, l.Bytes, l.Gas, l.LaneBytes, l.LaneGas,
			)
		}
	}
	return nil
}

// Full tells whether another move might not have found room in a block.
func (l Limits) Full(txs [][]byte) bool {
	var u use
	for _, raw := range txs {
		if tx := l.Read(raw); tx.Move {
			u.moveBytes, u.moveGas = u.moveBytes+tx.Bytes, sum(u.moveGas, tx.Gas)
		}
	}
	return u.moveBytes+l.MoveBytes > l.LaneBytes || sum(u.moveGas, l.MoveGas) > l.LaneGas
}

// Read looks at an encoded transaction without decoding it: its size, the gas it declares, and whether all its messages are moves.
// What is malformed is an ordinary transaction without gas; it fails when it is executed.
func (l Limits) Read(raw []byte) Tx {
	tx := Tx{Bytes: uint64(len(raw))}
	var body, auth []byte
	if !fields(raw, func(num protowire.Number, data []byte) {
		switch num {
		case 1: // TxRaw.body_bytes
			body = data
		case 2: // TxRaw.auth_info_bytes
			auth = data
		}
	}) {
		return tx
	}
	tx.Gas = gasLimit(auth)
	tx.Move = tx.Bytes <= l.MoveBytes && tx.Gas <= l.MoveGas && allMoves(body, 1, 0)
	return tx
}

// moves are the messages that the lane is for.
var moves = map[string]bool{
	"/poai.disputes.v1.MsgClaim":        true,
	"/poai.disputes.v1.MsgAttack":       true,
	"/poai.disputes.v1.MsgDefend":       true,
	"/poai.disputes.v1.MsgMove":         true,
	"/poai.disputes.v1.MsgProduceBytes": true,
}

const (
	execURL = "/cosmos.authz.v1beta1.MsgExec"
	// maxDepth of MsgExec; the ante handler allows no more.
	maxDepth = 2
)

// allMoves tells whether a message has one or more Any in the field, and all of them are moves. Daemons sign with a key that the operator has
// granted to, so moves may be inside of authz's MsgExec.
func allMoves(msg []byte, field protowire.Number, depth int) bool {
	count, all := 0, true
	ok := fields(msg, func(num protowire.Number, any []byte) {
		if num != field {
			return
		}
		count++
		var url string
		var value []byte
		if !fields(any, func(num protowire.Number, data []byte) {
			switch num {
			case 1:
				url = string(data)
			case 2:
				value = data
			}
		}) {
			all = false
			return
		}
		if !moves[url] && (url != execURL || depth == maxDepth || !allMoves(value, 2, depth+1)) {
			all = false
		}
	})
	return ok && all && count > 0
}

// gasLimit reads AuthInfo.fee.gas_limit.
func gasLimit(auth []byte) uint64 {
	var gas uint64
	fields(auth, func(num protowire.Number, fee []byte) {
		if num != 2 { // AuthInfo.fee
			return
		}
		for len(fee) > 0 {
			num, typ, n := protowire.ConsumeTag(fee)
			if n < 0 {
				return
			}
			fee = fee[n:]
			if num == 2 && typ == protowire.VarintType {
				v, n := protowire.ConsumeVarint(fee)
				if n < 0 {
					return
				}
				gas, fee = v, fee[n:]
				continue
			}
			if n = protowire.ConsumeFieldValue(num, typ, fee); n < 0 {
				return
			}
			fee = fee[n:]
		}
	})
	return gas
}

// fields calls f for every field of bytes; false where the encoding is broken.
func fields(msg []byte, f func(num protowire.Number, data []byte)) bool {
	for len(msg) > 0 {
		num, typ, n := protowire.ConsumeTag(msg)
		if n < 0 {
			return false
		}
		msg = msg[n:]
		if typ != protowire.BytesType {
			if n = protowire.ConsumeFieldValue(num, typ, msg); n < 0 {
				return false
			}
			msg = msg[n:]
			continue
		}
		data, n := protowire.ConsumeBytes(msg)
		if n < 0 {
			return false
		}
		f(num, data)
		msg = msg[n:]
	}
	return true
}
