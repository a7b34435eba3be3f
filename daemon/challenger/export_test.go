package challenger

// NoSync lets tests, whose processes only pretend to die, do without the disk's pace.
func (b *Book) NoSync() { b.db.NoSync = true }
