package judge

// RememberAll has every verdict remembered that can be.
func (j *Judge) RememberAll() { j.memoryFrom = 0 }
