// The tables of the benchmark. Each measures whole processes, in turn, and prints as it goes.
#pragma once

#include "tests/bench/table.h"

namespace cowvet::bench {

void measure_rows(const Settings& settings);        // against qemu-img and the floor: the targets
void measure_threads(const Settings& settings);     // against the floor, with 1, 2 and 4 threads each
void measure_growth(const Settings& settings);      // ordered images of 1 to 16 TiB; 1 to 100 snapshots
void measure_cold(const Settings& settings);        // files that are not in memory, against the floor
void measure_memory_cap(const Settings& settings);  // 8 TiB below 64 MiB: the same report
void measure_rebuild(const Settings& settings);     // all refcounts of 1 TiB, against qemu-img check -r all
void count_instructions(const Settings& settings);  // of five images, by callgrind: the same on any machine

}  // namespace cowvet::bench
