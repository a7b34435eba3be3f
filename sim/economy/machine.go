package main

// machine computes one task after the other, so many units a block.
type machine struct {
	speed uint64
	queue []job
	known map[uint64]bool // tasks queued or done
	done  map[uint64]bool
	// ran is how many units it has computed.
	ran uint64
}

type job struct{ task, left uint64 }

func newMachine(speed uint64) *machine {
	return &machine{speed: speed, known: map[uint64]bool{}, done: map[uint64]bool{}}
}

// ready tells whether a task of that many units is computed; the first question puts it into the queue. What takes nothing is ready at once.
func (m *machine) ready(task, units uint64) bool {
	if !m.known[task] {
		m.known[task] = true
		if units == 0 {
			m.done[task] = true
		} else {
			m.queue = append(m.queue, job{task, units})
		}
	}
	return m.done[task]
}

// tick is a block's time.
func (m *machine) tick() {
	for left := m.speed; left > 0 && len(m.queue) > 0; {
		j := &m.queue[0]
		n := min(left, j.left)
		j.left, left, m.ran = j.left-n, left-n, m.ran+n
		if j.left == 0 {
			m.done[j.task] = true
			m.queue = m.queue[1:]
		}
	}
}
