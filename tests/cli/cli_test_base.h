// Runs the real programs in a directory of the test's own.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <fstream>
#include <stdexcept>
#include <string>

#include "checker/format/endian.h"
#include "tests/support/run_command.h"
#include "tests/support/temporary_directory.h"

namespace cowvet {

class CliTest : public testing::Test {
 protected:
  // `arguments` as a shell reads them.
  CommandResult cowvet(const std::string& arguments) const {
    return shell(shell_quote(COWVET_PROGRAM) + " " + arguments);
  }
  CommandResult shell(const std::string& script) const { return run_script(script, directory_.path()); }

  // For what a test needs before it begins.
  void prepare(const std::string& script) const {
    const CommandResult result = shell(script);
    if (result.status != 0) throw std::runtime_error(script + ": " + result.err);
  }

  // An image of 64 MiB in which qemu-io wrote 1 MiB of data: tables in clusters 1 to 4, data from 5 on.
  void make_image(const std::string& name) const {
    prepare("qemu-img create -q -f qcow2 " + name + " 64M && qemu-io -c 'write -P 7 0 1M' " + name);
  }

  std::uint64_t peek(const std::string& name, std::uint64_t offset) const {
    std::ifstream file(directory_.file(name), std::ios::binary);
    char bytes[8] = {};
    file.seekg(static_cast<std::streamoff>(offset)).read(bytes, sizeof bytes);
    return load_big_endian<std::uint64_t>(bytes);
  }

  template <std::unsigned_integral T>
  void poke(const std::string& name, std::uint64_t offset, T value) const {
    std::fstream file(directory_.file(name), std::ios::binary | std::ios::in | std::ios::out);
    char bytes[sizeof(T)];
    store_big_endian(bytes, value);
    file.seekp(static_cast<std::streamoff>(offset)).write(bytes, sizeof bytes);
  }

  std::uint64_t l2_offset(const std::string& name) const {
    return peek(name, peek(name, 40)) & 0x00fffffffffffe00;
  }

  void make_leak(const std::string& name) const {
    make_image(name);
    poke(name, l2_offset(name) + std::uint64_t{8} * 15, std::uint64_t{0});
  }
  // Two guest clusters on one host cluster.
  void make_corrupt(const std::string& name) const {
    make_image(name);
    poke(name, l2_offset(name) + 8, peek(name, l2_offset(name)));
  }

  TemporaryDirectory directory_;
};

}  // namespace cowvet
