#include "tests/repair/proven_repair.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>

#include "tests/repair/lost_data.h"

namespace cowvet {
namespace {

using State = RepairResult::State;

bool gives_up_metadata(const Plan& plan) {
  return std::ranges::any_of(plan.steps, [](const Step& step) { return step.remedy == Remedy::metadata; });
}

// Whether the plan says that this disk may read differently there afterwards, and that content may be lost.
bool is_announced(const Plan& plan, const std::string& owner, std::uint64_t offset) {
  const auto covers = [&](const GuestImpact& impact) {
    return impact.owner == owner && impact.range.offset <= offset &&
           offset - impact.range.offset < impact.range.length;
  };
  return std::ranges::any_of(plan.steps, [&](const Step& step) {
    return step.remedy != Remedy::safe && std::ranges::any_of(step.impact, covers);
  });
}

}  // namespace

bool is_sound(const std::vector<RuleTotal>& totals) {
  return std::ranges::all_of(totals, [](const RuleTotal& total) { return total.worst == Severity::notice; });
}

ProvenRepair::ProvenRepair(const corpus::Recipe& recipe, const corpus::BuiltImage& built,
                           const RepairMode& mode)
    : recipe_(recipe), built_(built), image_(recipe, built, directory_.path()), mode_(mode) {
  if (auto plan = image_.plan(mode.options)) plan_ = *std::move(plan);
}

bool ProvenRepair::carry_out() {
  const Contents old = image_.contents();
  const std::vector<Disk> disks = look_at_disks();
  const RepairResult result = image_.repair(*plan_);
  EXPECT_EQ(result.state, State::done) << result.message;
  if (result.state != State::done) return false;
  const Contents repaired = image_.contents();
  expect_as_planned();
  is_sound_ = is_sound(plan_->remaining);
  if (is_sound_) expect_sound_for_qemu("after the repair");
  for (const Disk& disk : disks) expect_kept(disk, repaired);
  expect_undone_and_redone(old, repaired);
  if (is_sound_) expect_writable();
  return is_sound_;
}

CommandResult ProvenRepair::qemu(const std::string& program, const std::string& words) const {
  return run_script(fmt::format("{} --object secret,id=key,data=any {} {}", program, words,
                                shell_quote(image_.qemu_name())),
                    directory_.path());
}

QemuContent ProvenRepair::content_of_disk(const std::string& snapshot_id, const std::string& raw) const {
  return read_by_qemu(directory_.path(), image_.qemu_name(), snapshot_id, raw, built_.layout.header.size);
}

std::vector<ProvenRepair::Disk> ProvenRepair::look_at_disks() const {
  std::vector<Disk> disks{{"", "", &built_.disk, {}}};
  for (const auto& [id, disk] : built_.snapshot_disks) {
    const auto taken = std::ranges::find_if(recipe_.steps, [&](const corpus::Step& step) {
      const auto* take = std::get_if<corpus::TakeSnapshot>(&step.action);
      return take && take->id == id;
    });
    const std::string& name = std::get<corpus::TakeSnapshot>(taken->action).name;
    disks.push_back({id, fmt::format("snapshot {} ({})", id, name), &disk, {}});
  }
  for (std::size_t i = 0; i < disks.size(); ++i)
    disks[i].before = content_of_disk(disks[i].snapshot_id, fmt::format("before-{}", i));
  return disks;
}

void ProvenRepair::expect_as_planned() const {
  EXPECT_EQ(describe(image_.check().totals), describe(plan_->remaining));
  const auto second = image_.plan(mode_.options);
  ASSERT_TRUE(second) << second.error();
  for (const Step& step : second->steps) ADD_FAILURE() << "planned once more: " << step.why;
}

void ProvenRepair::expect_sound_for_qemu(const char* when) const {
  const CommandResult result = qemu("qemu-img check", "");
  if (refusal_ && result.status != 0) {
    EXPECT_NE(result.err.find(refusal_->message), std::string::npos) << result.err;
  } else {
    EXPECT_EQ(result.status, 0) << when << '\n' << result.out << result.err;
  }
}

// Every sector that QEMU reads afterwards is what the guest once wrote, or what it read before the repair,
// unless the plan gave it up.
void ProvenRepair::expect_kept(const Disk& disk, const Contents& repaired) const {
  SCOPED_TRACE("snapshot '" + disk.snapshot_id + "'");
  const GuestContent& before = disk.before.content;
  const QemuContent now = content_of_disk(disk.snapshot_id, "after");
  const GuestContent& after = now.content;
  if (mode_.gives_nothing) {
    EXPECT_THAT(find_given_away(built_, disk.snapshot_id, after, repaired.image), testing::IsEmpty());
  }
  if (after.is_unreadable) return expect_allowed_to_be_unreadable(disk, now.message);
  const std::uint64_t backing = built_.backing_file ? built_.backing_file->size() : 0;
  const GuestContent written = content_of(*disk.written, built_.layout.header.size, backing);
  // What a recipe writes to an encrypted disk is noise for QEMU: only before and after can be compared.
  const bool is_comparable = knows_what_was_written_ && image_.check().header.crypt_method == 0;
  const Sectors changed = differences(after, before);
  Sectors lost;
  for (const std::uint64_t at : differences(after, written))
    if ((before.is_readable(at) ? changed.contains(at) : is_comparable) &&
        !is_announced(*plan_, disk.owner, at) && after.is_readable(at))
      lost.insert(at);
  EXPECT_EQ(describe(lost), "");
  Sectors unreadable = after.unreadable;
  if (!is_sound_) std::erase_if(unreadable, [&](std::uint64_t at) { return !before.is_readable(at); });
  EXPECT_EQ(describe(unreadable), "") << now.message;
}

void ProvenRepair::expect_allowed_to_be_unreadable(const Disk& disk, const std::string& message) const {
  const bool was_given_up = !disk.snapshot_id.empty() && gives_up_metadata(*plan_);
  const bool is_refused = refusal_ && message.find(refusal_->message) != std::string::npos;
  const bool was_broken = !is_sound_ && disk.before.content.is_unreadable;
  EXPECT_TRUE(was_given_up || is_refused || was_broken) << message;
}

void ProvenRepair::expect_undone_and_redone(const Contents& old, const Contents& repaired) const {
  RepairResult result = image_.undo();
  EXPECT_EQ(result.state, State::done) << result.message;
  EXPECT_TRUE(image_.contents() == old);
  result = image_.undo();
  EXPECT_EQ(result.state, State::done) << result.message;
  EXPECT_TRUE(image_.contents() == repaired);
}

// At the beginning, in the middle and at the end of the disk.
void ProvenRepair::expect_writable() const {
  const std::uint64_t size = image_.check().header.size / 512 * 512;
  if (size == 0) return;
  const std::uint64_t length = std::min<std::uint64_t>(size, 1 << 16);
  const std::uint64_t places[] = {0, (size - length) / 1024 * 512, size - length};
  std::string commands = "-t unsafe";
  for (const char* verb : {"write", "read"})
    for (const std::uint64_t at : places) commands += fmt::format(" -c '{} -P 197 {} {}'", verb, at, length);
  const CommandResult result = qemu("qemu-io", commands);
  if (refusal_ && result.err.find(refusal_->message) != std::string::npos) return;
  EXPECT_EQ(result.status, 0) << result.out << result.err;
  EXPECT_EQ(result.out.find("failed"), std::string::npos) << result.out;
  const Report report = image_.check();
  EXPECT_TRUE(is_sound(report.totals)) << describe(report.totals);
  expect_sound_for_qemu("after writing");
}

}  // namespace cowvet
