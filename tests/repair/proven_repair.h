// A repair on disk, proved: planned and carried out by the real transaction, examined again by both checkers,
// read and written by QEMU, undone and redone. Whatever does not hold fails the test.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tests/repair/guest_content.h"
#include "tests/repair/recipe_image.h"
#include "tests/repair/repair_modes.h"
#include "tests/support/run_command.h"
#include "tests/support/temporary_directory.h"

namespace cowvet {

bool is_sound(const std::vector<RuleTotal>& totals);

class ProvenRepair {
 public:
  // `built` may have more damage than the recipe says; what the guest once wrote is the recipe's.
  ProvenRepair(const corpus::Recipe& recipe, const corpus::BuiltImage& built, const RepairMode& mode);

  // QEMU may refuse the repaired image with these words.
  void allow_refusal(const QemuRefusal* refusal) { refusal_ = refusal; }

  // What QEMU could not read before may read as anything afterwards: two kinds of damage hide each other.
  void allow_any_content_where_none_was_read() { knows_what_was_written_ = false; }

  // None: the header does not allow to look behind it.
  const std::optional<Plan>& plan() const { return plan_; }
  // Carries out the plan, which must be fit and not empty. Whether the image is sound afterwards.
  bool carry_out();

 private:
  struct Disk {
    std::string snapshot_id;                     // empty: the active disk
    std::string owner;                           // as GuestImpact::owner
    const corpus::GuestDisk* written = nullptr;  // by the recipe, before the damage
    QemuContent before;                          // the repair
  };

  CommandResult qemu(const std::string& program, const std::string& words) const;
  QemuContent content_of_disk(const std::string& snapshot_id, const std::string& raw) const;
  std::vector<Disk> look_at_disks() const;
  void expect_as_planned() const;
  void expect_sound_for_qemu(const char* when) const;
  void expect_kept(const Disk& disk, const Contents& repaired) const;
  void expect_allowed_to_be_unreadable(const Disk& disk, const std::string& message) const;
  void expect_undone_and_redone(const Contents& old, const Contents& repaired) const;
  void expect_writable() const;

  const corpus::Recipe& recipe_;
  const corpus::BuiltImage& built_;
  TemporaryDirectory directory_;
  RecipeImage image_;
  const RepairMode& mode_;
  std::optional<Plan> plan_;
  const QemuRefusal* refusal_ = nullptr;
  bool knows_what_was_written_ = true;
  bool is_sound_ = false;
};

}  // namespace cowvet
