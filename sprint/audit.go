package sprint

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
	"slices"

	"golang.org/x/crypto/chacha20"
)

const (
	domainAudit = "poai/sprint/audit/1"
	ppm         = 1_000_000
	maxSample   = 1 << 12
)

// Streams of the audit key.
const (
	streamAudited = 0
	streamSample  = 1
)

// Million is certainty in parts per million.
const Million = ppm

// auditStream is the randomness of one participant's audit.
func auditStream(random []byte, window uint64, participant string, n uint64) (*chacha20.Cipher, error) {
	b := appendLP([]byte(domainAudit), string(random))
	b = binary.LittleEndian.AppendUint64(b, window)
	return stream(sha256.Sum256(appendLP(b, participant)), n)
}

func next64(s *chacha20.Cipher) uint64 {
	var b [8]byte
	s.XORKeyStream(b[:], b[:])
	return binary.LittleEndian.Uint64(b[:])
}

// Audited decides by lot, with the given probability in parts per million, whether a commitment is audited. Its bias is below 2^−43.
func Audited(random []byte, window uint64, participant string, probability uint64) (bool, error) {
	s, err := auditStream(random, window, participant, streamAudited)
	if err != nil {
		return false, err
	}
	lot, _ := bits.Mul64(next64(s), ppm)
	return lot < probability, nil
}

// Sample draws the m leaves of count that an audit opens. They are distinct and ascending, and every set of m is as likely as any other;
// with fewer leaves than m it is every leaf, again and again: i mod count, so that an audit always has m.
func Sample(random []byte, window uint64, participant string, count uint64, m int) ([]uint64, error) {
	if count == 0 || m < 1 || m > maxSample {
		return nil, fmt.Errorf("%w: sample: %d of %d leaves, want 1 to %d of at least 1", ErrInput, m, count, maxSample)
	}
	out := make([]uint64, 0, m)
	if count < uint64(m) {
		for i := range uint64(m) {
			out = append(out, i%count)
		}
		return out, nil
	}
	s, err := auditStream(random, window, participant, streamSample)
	if err != nil {
		return nil, err
	}
	// Floyd's algorithm (Bentley and Floyd, CACM 30(9), 1987): m draws, whatever the count.
	for j := count - uint64(m); j < count; j++ {
		n := below(s, j+1)
		at, taken := slices.BinarySearch(out, n)
		if taken {
			n = j // larger than all before it
			at = len(out)
		}
		out = slices.Insert(out, at, n)
	}
	return out, nil
}

// below draws a number in 0..n−1 without bias: what falls into the last, incomplete run of n is drawn again. n = 0 stands for 2^64.
func below(s *chacha20.Cipher, n uint64) uint64 {
	for {
		v := next64(s)
		if n == 0 {
			return v
		}
		if hi, lo := bits.Mul64(v, n); lo >= n || lo >= -n%n {
			return hi
		}
	}
}

// AuditPpm is the probability of an audit in parts per million: that of checking verifyPpm of the work, where an audit costs sample leaves
// for the participant and for each of committee members. Rounded down, so that checking costs no more than that, but never to 0.
func AuditPpm(count uint64, sample, committee int, verifyPpm uint64) uint64 {
	if sample < 1 || committee < 0 {
		return ppm
	}
	cost := uint64(sample) * (uint64(committee) + 1)
	hi, lo := bits.Mul64(count, verifyPpm)
	if hi >= cost {
		return ppm // beyond 64 bits
	}
	p, _ := bits.Div64(hi, lo, cost)
	return min(max(p, 1), ppm)
}

// CaughtPpm is the least probability, in parts per million, that an audit of sample leaves meets one of those that are wrong when one in
// wrongInverse is: 1 − (1 − 1/w)^sample, rounded down. Sampling without replacement only raises it.
func CaughtPpm(sample int, wrongInverse uint64) uint64 {
	if sample < 1 || wrongInverse == 0 {
		return 0
	}
	const one = 1 << 62
	missed := uint64(one)
	for range sample {
		hi, lo := bits.Mul64(missed, wrongInverse-1)
		q, r := bits.Div64(hi, lo, wrongInverse)
		if r > 0 {
			q++
		}
		missed = q
	}
	hi, lo := bits.Mul64(one-missed, ppm)
	q, _ := bits.Div64(hi, lo, one)
	return q
}

// Lock is what a commitment puts at risk: margin · value / (probability · caught), rounded up, all ratios in parts per million. With it, and
// whatever the number of leaves, who makes up a part of its leaves loses more in expectation than they could earn. ok is false where the result does not fit
// 64 bits or an audit could not catch anything.
func Lock(value, marginPpm, auditPpm, caughtPpm uint64) (lock uint64, ok bool) {
	if auditPpm == 0 || caughtPpm == 0 || auditPpm > ppm || caughtPpm > ppm {
		return 0, false
	}
	hi, lo := bits.Mul64(value, marginPpm)
	if hi > math.MaxUint64/ppm {
		return 0, false
	}
	// value·margin·10^6 / (audit·caught): the ratios' scale once more than margin's.
	hi2, lo2 := bits.Mul64(lo, ppm)
	sum, carry := bits.Add64(hi*ppm, hi2, 0)
	chance := auditPpm * caughtPpm
	if carry != 0 || sum >= chance {
		return 0, false
	}
	q, r := bits.Div64(sum, lo2, chance)
	if r > 0 {
		if q == math.MaxUint64 {
			return 0, false
		}
		q++
	}
	return q, true
}
