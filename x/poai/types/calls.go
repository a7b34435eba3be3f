package types

import "cosmossdk.io/math"

// DrawRequest asks for one worker, drawn by sortition weight among those who serve Model, have a free place and can lock Lock.
type DrawRequest struct {
	Task    uint64
	Model   string
	Seed    []byte   // randomness; the draw domain-separates it by task and purpose
	Lock    math.Int // bond put at risk, LOCK_KIND_TASK
	Exclude []string // addresses that must not be drawn
	// Requirements of the worker; nil for none. Whoever is drawn and does not meet them is set aside as without a free place.
	Requirements *Requirements
}

// GradersRequest asks for graders of a contest's round.
type GradersRequest struct {
	Item  uint64 // what their bond is locked for, LOCK_KIND_GRADE
	Model string // who serves it may be drawn
	Seed  []byte
	Lock  math.Int
	Seats uint32
}

// CommitteeRequest asks for a committee to audit a sealed task.
type CommitteeRequest struct {
	Task        uint64
	Model       string
	Worker      string   // never drawn
	Exclude     []string // nor are these: they have results of their own in the task
	Seed        []byte
	Size        uint32
	LockPerSeat math.Int // LOCK_KIND_SEAT
	Deadline    int64    // last height to seal
	Excused     bool     // abstaining costs no reliability: the inputs may not be available to everybody
}

// Role is what a credit is for.
type Role int

// Roles of a credit.
const (
	RoleWorker   Role = iota + 1 // credited the whole units
	RoleVerifier                 // credited verifier_share_ppm of them
	RoleSprint                   // credited capacity.sprint_share_ppm of them
)

// CreditRequest credits proven units to a participant.
type CreditRequest struct {
	Epoch       uint64 // of assignment; if it is closed already, the running epoch is credited
	Participant string
	Task        uint64 // or the sprint window
	Units       uint64 // moves reliability
	ScoreUnits  uint64 // earns score; 0 for work that earns a fee only
	Role        Role
}

// SlashRequest takes Bps of a lock; the rest of the lock is released. burn is slash_burn_bps of what is taken, the remainder
// is split evenly between Beneficiaries (largest remainder), or goes to the community pool when there are none.
type SlashRequest struct {
	Participant   string
	Kind          LockKind
	Task          uint64
	Bps           uint32 // 10,000 takes it whole
	Reason        string
	Lie           bool // a proven lie: jails, costs more where others lied too, and forfeits unvested rewards; otherwise a timeout
	Beneficiaries []string
	Evidence      Evidence // as far as the caller knows
}

// CommitteeOutcome tells how a committee is settled.
type CommitteeOutcome struct {
	// ValidRoot is the root found right. Nil releases every revealed seat, whatever its root.
	ValidRoot []byte
	// FalseRoot is a root that is known to be wrong whatever is right: who revealed it has lied even where ValidRoot is nil. Nil: none is.
	FalseRoot []byte
	// Beneficiaries share the unburnt part of what is slashed.
	Beneficiaries []string
	// Reference names what found which root is right, for the records of faults. Empty: the committee itself.
	Reference string
}
