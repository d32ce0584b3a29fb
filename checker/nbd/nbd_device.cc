#include "checker/nbd/nbd_device.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace cowvet {
namespace {

constexpr std::size_t kMostConnections = 4;
constexpr std::uint64_t kMostRequestBytes = std::uint64_t{16} << 20;

std::string last_error() {
  const char* text = nbd_get_error();
  return text ? text : "unknown error";
}

}  // namespace

std::expected<std::unique_ptr<nbd_handle, NbdDevice::Close>, std::string> NbdDevice::connect_once(
    const std::string& address) {
  std::unique_ptr<nbd_handle, Close> handle(nbd_create());
  if (!handle || nbd_add_meta_context(handle.get(), LIBNBD_CONTEXT_BASE_ALLOCATION) < 0 ||
      nbd_connect_uri(handle.get(), address.c_str()) < 0)
    return std::unexpected(last_error());
  return handle;
}

void NbdDevice::learn(nbd_handle* handle) {
  const std::int64_t size = nbd_get_size(handle);
  const std::int64_t least = nbd_get_block_size(handle, LIBNBD_SIZE_MINIMUM);
  const std::int64_t most = nbd_get_block_size(handle, LIBNBD_SIZE_MAXIMUM);
  size_bytes_ = size > 0 ? static_cast<std::uint64_t>(size) : 0;
  // The protocol allows powers of two up to 64 KiB.
  if (least > 0 && least <= 65536) least_bytes_ = static_cast<std::uint64_t>(least);
  most_bytes_ = most > 0 ? std::min(static_cast<std::uint64_t>(most), kMostRequestBytes) : kMostRequestBytes;
  most_bytes_ = std::max(most_bytes_ / least_bytes_, std::uint64_t{1}) * least_bytes_;
  knows_holes_ = nbd_can_meta_context(handle, LIBNBD_CONTEXT_BASE_ALLOCATION) > 0;
}

std::expected<std::unique_ptr<NbdDevice>, std::string> NbdDevice::connect(const std::string& address) {
  std::unique_ptr<NbdDevice> device(new NbdDevice(address));
  auto first = connect_once(address);
  if (!first) return std::unexpected(first.error());
  device->learn(first->get());
  const bool several = nbd_can_multi_conn(first->get()) > 0;
  device->connections_.emplace_back().handle = std::move(*first);
  while (several && device->connections_.size() < kMostConnections) {
    auto next = connect_once(address);
    if (!next) break;  // the server may limit them; one is enough
    device->connections_.emplace_back().handle = std::move(*next);
  }
  return device;
}

const NbdDevice::Connection& NbdDevice::free_connection(std::unique_lock<std::mutex>& lock) const {
  for (const Connection& connection : connections_) {
    lock = std::unique_lock(connection.mutex, std::try_to_lock);
    if (lock.owns_lock()) return connection;
  }
  lock = std::unique_lock(connections_.front().mutex);
  return connections_.front();
}

// `offset` and the length are multiples of least_bytes_.
std::expected<void, IoError> NbdDevice::read_aligned(std::uint64_t offset, std::span<std::byte> out) const {
  while (!out.empty()) {
    const std::uint64_t length = std::min<std::uint64_t>(out.size(), most_bytes_);
    std::unique_lock<std::mutex> lock;
    const Connection& connection = free_connection(lock);
    if (nbd_pread(connection.handle.get(), out.data(), length, offset, 0) < 0) {
      const int code = nbd_get_errno();
      return std::unexpected(IoError{offset, length, code != 0 ? code : EIO});
    }
    offset += length;
    out = out.subspan(length);
  }
  return {};
}

std::expected<void, IoError> NbdDevice::read(std::uint64_t offset, std::span<std::byte> out) const {
  const std::uint64_t there =
      offset < size_bytes_ ? std::min<std::uint64_t>(out.size(), size_bytes_ - offset) : 0;
  std::ranges::fill(out.subspan(there), std::byte{0});
  if (there == 0) return {};
  const std::uint64_t begin = offset / least_bytes_ * least_bytes_;
  // The size of an export is a multiple of its blocks, or else its end cannot be read.
  const std::uint64_t end =
      std::min((offset + there + least_bytes_ - 1) / least_bytes_ * least_bytes_, size_bytes_);
  if (begin == offset && end == offset + there) return read_aligned(offset, out.first(there));
  std::vector<std::byte> around(end - begin);
  if (auto done = read_aligned(begin, around); !done) return done;
  std::memcpy(out.data(), around.data() + (offset - begin), there);
  return {};
}

// Fills extents_ with what the server says from `offset` on.
bool NbdDevice::ask_extents(std::uint64_t offset) const {
  struct Answer {
    std::vector<Extent> extents;
    std::uint64_t size_bytes;
  } answer{{}, size_bytes_};
  const auto take = [](void* user, const char* context, std::uint64_t at, std::uint32_t* entries,
                       std::size_t count, int*) {
    if (std::strcmp(context, LIBNBD_CONTEXT_BASE_ALLOCATION) != 0) return 0;
    auto& into = *static_cast<Answer*>(user);
    for (std::size_t i = 0; i + 1 < count; i += 2) {
      const std::uint64_t end = std::min(at + entries[i], into.size_bytes);
      into.extents.push_back({{at, end}, (entries[i + 1] & LIBNBD_STATE_ZERO) != 0});
      at = end;
    }
    return 0;
  };
  const std::uint64_t begin = offset / least_bytes_ * least_bytes_;
  const std::uint64_t length = std::min(size_bytes_ - begin, (std::uint64_t{1} << 32) - 65536);
  std::unique_lock<std::mutex> lock;
  const Connection& connection = free_connection(lock);
  const int done = nbd_block_status(connection.handle.get(), length, begin,
                                    {.callback = take, .user_data = &answer, .free = nullptr}, 0);
  extents_ = std::move(answer.extents);
  return done == 0 && !extents_.empty() && extents_.back().range.end > offset;
}

DataExtent NbdDevice::next_data(std::uint64_t offset) const {
  if (!knows_holes_) return Device::next_data(offset);
  const std::scoped_lock lock(extents_mutex_);
  DataExtent data{size_bytes_, size_bytes_};
  while (offset < size_bytes_) {
    const bool known =
        !extents_.empty() && extents_.front().range.begin <= offset && offset < extents_.back().range.end;
    // A server that fails to say what is a hole may still be read.
    if (!known && !ask_extents(offset)) return data.begin < size_bytes_ ? data : Device::next_data(offset);
    for (const Extent& extent : extents_) {
      if (extent.range.end <= offset) continue;
      if (extent.zero) {
        if (data.begin < size_bytes_) return data;
      } else {
        if (data.begin == size_bytes_) data.begin = offset;
        data.end = extent.range.end;
      }
      offset = extent.range.end;
    }
    if (data.begin < size_bytes_) return data;
  }
  return data;
}

}  // namespace cowvet
