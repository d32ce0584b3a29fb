// Thousands of small images: cowvet triage in one run, qemu-img check as a process for each.
#pragma once

#include "tests/bench/table.h"

namespace cowvet::bench {

// 100, 10,000 and 100,000 images of 50 KiB, the latter ten names for each of 10,000 files, and 10,000 of the
// size that qemu-img gives them. qemu-img is run on 200 of them, one after another, and its time is scaled to
// all.
void measure_triage(const Settings& settings);

}  // namespace cowvet::bench
