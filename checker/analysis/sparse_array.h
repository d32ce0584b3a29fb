// An array of which most elements are never made: a radix tree of pointers, as deep as its size needs.
// Elements are made on first use by any thread; finding one takes no lock.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <utility>

namespace cowvet {

template <typename T>
class SparseArray {
 public:
  explicit SparseArray(std::uint64_t size) : size_(size) {
    while (depth_ < 10 && size > std::uint64_t{1} << (kFanBits * depth_)) ++depth_;
  }
  SparseArray(const SparseArray&) = delete;
  SparseArray& operator=(const SparseArray&) = delete;
  ~SparseArray() { erase_from(0); }

  std::uint64_t size() const { return size_; }

  // The element, or nullptr.
  T* find(std::uint64_t index) const {
    const Node* node = &root_;
    for (unsigned level = depth_ - 1; level != 0; --level) {
      node = static_cast<const Node*>(node->slots[slot(index, level)].load(std::memory_order_acquire));
      if (!node) return nullptr;
    }
    return static_cast<T*>(node->slots[slot(index, 0)].load(std::memory_order_acquire));
  }

  // The element, made by `make` (a callable returning a new T*) where it is not there yet.
  template <typename Make>
  T& find_or_make(std::uint64_t index, Make make) {
    Node* node = &root_;
    for (unsigned level = depth_ - 1; level != 0; --level)
      node = publish<Node>(node->slots[slot(index, level)], [] { return new Node; });
    return *publish<T>(node->slots[slot(index, 0)], make);
  }

  // Calls visit(index, element) for those elements in [begin, end) that exist, in order.
  template <typename Visit>
  void for_each(std::uint64_t begin, std::uint64_t end, Visit visit) const {
    walk(root_, depth_ - 1, 0, begin, end, visit);
  }

  // Destroys the elements from `index` on. No other thread may be using the array.
  void erase_from(std::uint64_t index) { erase(root_, depth_ - 1, 0, index); }

 private:
  static constexpr unsigned kFanBits = 6;
  static constexpr std::uint64_t kFan = std::uint64_t{1} << kFanBits;
  struct Node {
    std::array<std::atomic<void*>, kFan> slots{};
  };

  static std::uint64_t slot(std::uint64_t index, unsigned level) {
    return index >> (kFanBits * level) & (kFan - 1);
  }

  template <typename Kind, typename Make>
  static Kind* publish(std::atomic<void*>& slot, Make make) {
    void* there = slot.load(std::memory_order_acquire);
    if (there) return static_cast<Kind*>(there);
    Kind* made = make();
    if (slot.compare_exchange_strong(there, made, std::memory_order_acq_rel)) return made;
    delete made;  // another thread was first
    return static_cast<Kind*>(there);
  }

  template <typename Visit>
  static void walk(const Node& node, unsigned level, std::uint64_t base, std::uint64_t begin,
                   std::uint64_t end, Visit& visit) {
    const std::uint64_t width = std::uint64_t{1} << (kFanBits * level);
    for (std::uint64_t i = begin > base ? (begin - base) / width : 0; i < kFan; ++i) {
      const std::uint64_t at = base + i * width;
      if (at >= end) return;
      void* child = node.slots[i].load(std::memory_order_acquire);
      if (!child) continue;
      if (level == 0) {
        visit(at, *static_cast<T*>(child));
      } else {
        walk(*static_cast<Node*>(child), level - 1, at, begin, end, visit);
      }
    }
  }

  static void erase(Node& node, unsigned level, std::uint64_t base, std::uint64_t from) {
    const std::uint64_t width = std::uint64_t{1} << (kFanBits * level);
    for (std::uint64_t i = from > base ? (from - base) / width : 0; i < kFan; ++i) {
      void* child = node.slots[i].load(std::memory_order_relaxed);
      if (!child) continue;
      const std::uint64_t at = base + i * width;
      if (level == 0) {
        delete static_cast<T*>(child);
      } else {
        erase(*static_cast<Node*>(child), level - 1, at, from);
        if (at < from) continue;
        delete static_cast<Node*>(child);
      }
      node.slots[i].store(nullptr, std::memory_order_relaxed);
    }
  }

  std::uint64_t size_;
  unsigned depth_ = 1;
  Node root_;
};

}  // namespace cowvet
