// Images on real NBD servers: qemu-nbd, and nbdkit with filters that fail, delay and restrict.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <set>

#include "tests/cli/cli_test_base.h"

namespace cowvet {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class Nbd : public CliTest {
 protected:
  // What `cowvet ARGUMENTS` says of the export that `serve` makes on the socket s; "$address" is its address.
  CommandResult with_server(const std::string& serve, const std::string& arguments) const {
    return shell("rm -f s pid\n" + serve +
                 "\n"
                 "for i in $(seq 100); do [ -S s ] && break; sleep 0.05; done\n"
                 "address=nbd+unix:///?socket=$PWD/s\n"
                 "status=0\n" +
                 shell_quote(COWVET_PROGRAM) + " " + arguments +
                 " || status=$?\n"
                 "[ ! -f pid ] || kill $(cat pid)\n"
                 "exit $status");
  }
  static std::string qemu_nbd(const std::string& file) {
    return "qemu-nbd -r -t -f raw -k $PWD/s --pid-file=pid --fork " + file;
  }
  static std::string nbdkit(const std::string& what) { return "nbdkit -r -U $PWD/s -P pid " + what; }

  // The JSON report, without the names that differ.
  static json report_of(const CommandResult& result) {
    json report = json::parse(result.out, nullptr, false);
    for (const char* naming : {"filename", "summary"})
      if (report.is_object()) report.erase(naming);
    return report;
  }
  void make_damaged(const std::string& name) const {
    prepare("qemu-img create -q -f qcow2 " + name + " 64M && qemu-io -c 'write -q 1M 5M' " + name);
    prepare("dd if=/dev/zero of=" + name + " bs=64k seek=2 count=1 conv=notrunc status=none");
  }
};

TEST_F(Nbd, reports_are_those_of_the_file) {
  make_damaged("a.qcow2");
  const CommandResult local = cowvet("check --output=json --limit 0 a.qcow2");
  for (const std::string& serve :
       {qemu_nbd("a.qcow2"), nbdkit("file a.qcow2"), nbdkit("--filter=noextents file a.qcow2"),
        nbdkit("--filter=delay file a.qcow2 rdelay=2ms"),
        nbdkit("--filter=blocksize-policy file a.qcow2 blocksize-minimum=4096 blocksize-maximum=64k "
               "blocksize-error-policy=error")}) {
    const CommandResult remote = with_server(serve, "check --output=json --limit 0 $address");
    EXPECT_EQ(remote.status, local.status) << serve << remote.err;
    EXPECT_TRUE(report_of(remote) == report_of(local)) << serve << remote.out;
  }
}

TEST_F(Nbd, sound_images_are_sound) {
  prepare("qemu-img create -q -f qcow2 -o preallocation=metadata a.qcow2 1G");
  const CommandResult result = with_server(nbdkit("file a.qcow2"), "check --strict $address");
  EXPECT_EQ(result.status, 0) << result.out << result.err;
}

TEST_F(Nbd, errors_of_the_server_are_places_that_were_not_examined) {
  make_damaged("a.qcow2");
  const CommandResult result = with_server(
      nbdkit("--filter=error file a.qcow2 error-pread=EIO error-pread-rate=100%"), "check $address");
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.out, HasSubstr("file/unreadable"));
  EXPECT_THAT(result.out, HasSubstr("Input/output error"));
}

TEST_F(Nbd, one_failing_cluster_hides_nothing_else) {
  prepare("qemu-img create -q -f qcow2 -o preallocation=metadata a.qcow2 2G");
  // The second L2 table cannot be read; a bit of the first one's first entry is wrong.
  const CommandResult result = with_server(
      "l1=$(printf %d 0x$(od -A n -t x1 -j 40 -N 8 a.qcow2 | tr -d ' '))\n"
      "second=$((0x$(od -A n -t x1 -j $((l1 + 10)) -N 6 a.qcow2 | tr -d ' ')))\n"
      "first=$((0x$(od -A n -t x1 -j $((l1 + 2)) -N 6 a.qcow2 | tr -d ' ')))\n"
      "printf '\\000' | dd of=a.qcow2 bs=1 seek=$first conv=notrunc status=none\n"
      "cat >plugin.sh <<'END'\n"
      "#!/bin/sh\n"
      "case $1 in\n"
      "  get_size) stat -c %s $FILE ;;\n"
      "  pread) if [ $4 -lt $((SECOND + 65536)) ] && [ $(($4 + $3)) -gt $SECOND ]; then echo EIO >&2; exit "
      "1; fi\n"
      "    dd if=$FILE iflag=skip_bytes,count_bytes skip=$4 count=$3 status=none ;;\n"
      "  can_write) exit 3 ;;\n"
      "  *) exit 2 ;;\n"
      "esac\n"
      "END\n"
      "chmod +x plugin.sh\n"
      "export FILE=$PWD/a.qcow2 SECOND=$second; " +
          nbdkit("sh plugin.sh"),
      "check --output=json $address");
  EXPECT_EQ(result.status, 1) << result.err;
  std::set<std::string> rules;
  const json report = report_of(result);
  ASSERT_TRUE(report.is_object()) << result.out << result.err;
  for (const json& finding : report.at("rules")) rules.insert(finding.at("rule"));
  EXPECT_TRUE(rules.contains("file/unreadable")) << report.at("rules");
  EXPECT_TRUE(rules.contains("l2/copied")) << report.at("rules");
}

TEST_F(Nbd, names_in_the_image_are_not_looked_for_here) {
  prepare("qemu-img create -q -f qcow2 -o data_file=d.raw a.qcow2 1M");
  const CommandResult other = with_server(qemu_nbd("a.qcow2"), "check $address");
  EXPECT_EQ(other.status, 0) << other.err;
  EXPECT_THAT(other.out, HasSubstr("data-file/not-examined"));
  const CommandResult named = with_server(qemu_nbd("a.qcow2"), "check --data-file d.raw $address");
  EXPECT_THAT(named.out, testing::Not(HasSubstr("data-file/not-examined")));
}

TEST_F(Nbd, a_server_that_is_not_there_is_an_error_with_the_address) {
  const CommandResult result = cowvet("check nbd+unix:///?socket=$PWD/nobody");
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.err, HasSubstr("nbd+unix:///?socket="));
  EXPECT_THAT(result.err, HasSubstr("nobody"));
}

}  // namespace
}  // namespace cowvet
