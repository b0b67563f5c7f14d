#pragma once

#include <functional>
#include <memory>

namespace adapt {

/// Threads that do parts of a work side by side, again and again. The one that calls is one of them.
class ThreadTeam {
 public:
  /// Of `size` threads, at least 1. Each one but the caller's runs OpenMP regions on `openmp_threads`, and
  /// logs warnings and errors only.
  ThreadTeam(int size, int openmp_threads);
  ~ThreadTeam();
  ThreadTeam(const ThreadTeam&) = delete;
  ThreadTeam& operator=(const ThreadTeam&) = delete;

  [[nodiscard]] int size() const;

  /// Calls body(0) in the calling thread and body(i), i < size(), in the others, always the same i in the
  /// same one. Returns when all have returned; of what they threw, that of the least i is thrown again.
  void run(const std::function<void(int)>& body);

 private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace adapt
