// One repair, interrupted everywhere: the machine goes down at every operation, with every fate of what was
// not flushed, and again in the recovery. Whatever happens, the next start finds the image old or new, byte
// for byte.
#pragma once

#include <functional>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "tests/repair/repairs.h"

namespace cowvet {

struct Thoroughness {
  std::size_t all_subsets_up_to = 10;    // so many pending operations; of more, random subsets are taken
  std::uint64_t samples = 64;            // random subsets
  std::uint64_t torn_subsets = 64;       // so many are not only dropped, but torn and garbled, too
  std::uint64_t second_crash_every = 5;  // of so many states, one is followed by crashes of its recovery
  std::uint64_t killed_every = 1;        // the same of so many operations at which the process is killed
};

class Torture {
 public:
  using Run = std::function<RepairResult(Machine&)>;
  using Look = std::function<void(const Contents&)>;

  Torture(Machine start, Run run, const Thoroughness& thoroughness = {});

  // Called with the first state in between of an image that carries the mark, and with ever fewer later ones.
  void look_at_states_in_between(Look look) { look_ = std::move(look); }
  void crash_everywhere();

  std::uint64_t operations() const { return operations_; }
  std::uint64_t states() const { return states_; }
  std::uint64_t asked() const { return asked_; }  // for a decision, where nobody could know it
  std::uint64_t old_ends() const { return old_ends_; }
  std::uint64_t new_ends() const { return new_ends_; }

 private:
  using Visit = std::function<void(Machine&, bool garbled)>;
  static constexpr std::uint64_t kBetweenLooks = 30;
  static std::uint64_t seed();  // COWVET_CRASH_SEED, if it is set

  void process_ends(const Machine& machine);
  void for_each_crash(const Machine& machine, const Visit& visit);
  void visit_one(const Machine& machine, const std::vector<bool>& kept, Fate fate, const Visit& visit);
  void check_guarded(const Machine& crashed);
  void recover_and_check(Machine& machine, bool garbled);
  void check_ended(const Machine& machine, const std::optional<RepairResult>& result);
  void crash_again(const Machine& crashed);

  Machine start_;
  Run run_;
  Thoroughness thoroughness_;
  Look look_;
  Contents old_;
  Contents new_;
  std::uint64_t operations_ = 0;
  bool is_markable_ = false;
  std::mt19937_64 random_{seed()};
  std::string where_;
  std::uint64_t states_ = 0;
  std::uint64_t in_between_ = 0;
  std::uint64_t next_look_ = 1;
  std::uint64_t asked_ = 0;
  std::uint64_t old_ends_ = 0;
  std::uint64_t new_ends_ = 0;
};

}  // namespace cowvet
