// What any input of any target may cost, whoever runs it: libFuzzer or the replayer. bounds.cc holds the
// entry point that both call; it aborts where an input
//   - takes more than a second of CPU time (not of a clock: a busy machine fails nothing), or
//   - has more than 64 MiB allocated at once beyond its own size, by malloc or by new.
// Sanitizers make code slower, by the factor that bounds.cc gives them; memory is what was asked for, so it
// has none. The empty input is not judged: it loads what all inputs share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace cowvet::fuzz {

// Defined by each target: what is done with one input. Aborts where something is wrong.
void run_input(std::span<const std::uint8_t> input);

// The most that inputs took until now.
struct Cost {
  double cpu_seconds = 0;
  std::size_t bytes = 0;  // beyond the size of the input
};
Cost highest_cost();

}  // namespace cowvet::fuzz
