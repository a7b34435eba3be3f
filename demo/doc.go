// Package demo runs the main job from end to end on a local network of real processes: participants join, models are
// registered and made eligible by governance, tasks are submitted, computed, audited and paid, an epoch closes and its
// block reward is claimed. It then checks what happened and reports it as tables or as one JSON document.
package demo
