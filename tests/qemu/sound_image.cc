#include "tests/qemu/sound_image.h"

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>

#include "tests/support/run_command.h"
#include "tests/support/temporary_directory.h"

namespace cowvet {
namespace {

using Json = nlohmann::json;

// luks_create tries again where QEMU finds its key derivation too fast to be timed.
constexpr const char* kHelpers = R"sh(
create() { qemu-img create -q -f qcow2 "$@"; }
io() { qemu-io -t unsafe -f qcow2 "$@" disk.qcow2 >io.log || { cat io.log; return 1; }; }
monitor() {
  machine=$1; shift
  printf '%s\n' "$@" quit | qemu-system-x86_64 -M $machine -S -display none -nodefaults \
    -drive file=disk.qcow2,if=none,id=drive0,format=qcow2,cache=unsafe -monitor stdio >monitor.log
  if grep -a Error monitor.log; then return 1; fi
}
luks_create() {
  for attempt in $(seq 100); do
    if create --object secret,id=key,data=abc \
       -o encrypt.format=luks,encrypt.key-secret=key,encrypt.iter-time=10,"$1" disk.qcow2 "$2" 2>luks.log
    then return; fi
    grep -q 'accurate CPU usage' luks.log || break
  done
  cat luks.log; return 1
}
luks_io() {
  qemu-io -t unsafe --object secret,id=key,data=abc "$@" \
    --image-opts driver=qcow2,file.filename=disk.qcow2,encrypt.key-secret=key >io.log || { cat io.log; return 1; }
}
)sh";

// `qemu-img check` leaves out what is zero.
std::uint64_t counter(const Json& report, const char* key) {
  return report.value(key, std::uint64_t{0});
}

std::set<std::string> rules_of(const Json& report) {
  std::set<std::string> rules;
  for (const Json& rule : report.at("rules")) rules.insert(rule.at("rule").get<std::string>());
  return rules;
}

std::set<std::string> notices_due(const SoundImage& image, const std::filesystem::path& file,
                                  const Json& qemu) {
  std::set<std::string> due = image.notices;
  if (is_regular_file(file) && file_size(file) > counter(qemu, "image-end-offset"))
    due.insert("file/trailing");
  return due;
}

}  // namespace

std::string name_from(std::string text) {
  std::ranges::replace_if(text, [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
  return text;
}

std::string with_helpers(const std::string& commands) {
  const bool with_pattern = commands.find("pattern") != std::string::npos;
  return kHelpers + std::string(with_pattern ? "seq 1 400000 | head -c 2097152 >pattern\n" : "") + commands;
}

void expect_sound(const SoundImage& image) {
  const TemporaryDirectory directory;
  const CommandResult made = run_script(with_helpers(image.commands), directory.path());
  ASSERT_EQ(made.status, 0) << with_helpers(image.commands) << '\n' << made.out << made.err;
  expect_sound_in(directory.path(), image);
}

void expect_sound_in(const std::filesystem::path& directory, const SoundImage& image) {
  SCOPED_TRACE("the image was made by:" + with_helpers(image.commands));
  const auto qemu = run_script("qemu-img check --output=json " + image.qemu_arguments, directory);
  ASSERT_EQ(qemu.status, 0) << qemu.out << qemu.err;
  const auto cowvet = run_script(
      shell_quote(COWVET_PROGRAM) + " check --deep --output=json " + image.cowvet_arguments, directory);
  EXPECT_EQ(cowvet.status, 0) << cowvet.out << cowvet.err;

  const Json theirs = Json::parse(qemu.out);
  const Json ours = Json::parse(cowvet.out, nullptr, false);
  ASSERT_TRUE(ours.is_object()) << cowvet.out << cowvet.err;
  EXPECT_EQ(rules_of(ours), notices_due(image, directory / "disk.qcow2", theirs)) << cowvet.out;
  for (const char* key : {"check-errors", "corruptions", "leaks", "image-end-offset", "total-clusters",
                          "allocated-clusters", "fragmented-clusters", "compressed-clusters"})
    EXPECT_EQ(counter(ours, key), counter(theirs, key)) << key;
}

}  // namespace cowvet
