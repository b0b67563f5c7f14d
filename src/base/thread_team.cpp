#include "base/thread_team.hpp"

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "base/log.hpp"
#include "base/threads.hpp"

namespace adapt {

struct ThreadTeam::Implementation {
  explicit Implementation(int size) : errors(static_cast<std::size_t>(size)) {}

  /// One part, in whichever thread.
  void work(int index) {
    try {
      (*body)(index);
    } catch (...) {
      errors[static_cast<std::size_t>(index)] = std::current_exception();
    }
  }

  /// A thread, from its start to the end of the team.
  void serve(int index, int openmp_threads) {
    log_as_another_thread();
    use_openmp_threads(openmp_threads);
    std::uint64_t done = 0;
    std::unique_lock lock(mutex);
    while (true) {
      started.wait(lock, [&] { return ends || rounds > done; });
      if (ends) {
        return;
      }
      done = rounds;
      lock.unlock();
      work(index);
      lock.lock();
      if (--working == 0) {
        finished.notify_one();
      }
    }
  }

  std::vector<std::thread> threads;
  std::vector<std::exception_ptr> errors;          // by part
  const std::function<void(int)>* body = nullptr;  // of the round that runs
  // Under the mutex:
  std::mutex mutex;
  std::condition_variable started;
  std::condition_variable finished;
  std::uint64_t rounds = 0;  // begun
  int working = 0;           // threads that are not done with the round
  bool ends = false;
};

ThreadTeam::ThreadTeam(int size, int openmp_threads)
    : implementation_(std::make_unique<Implementation>(size)) {
  for (int index = 1; index < size; ++index) {
    implementation_->threads.emplace_back(
        [self = implementation_.get(), index, openmp_threads] { self->serve(index, openmp_threads); });
  }
}

ThreadTeam::~ThreadTeam() {
  {
    const std::lock_guard lock(implementation_->mutex);
    implementation_->ends = true;
  }
  implementation_->started.notify_all();
  for (std::thread& thread : implementation_->threads) {
    thread.join();
  }
}

int ThreadTeam::size() const { return static_cast<int>(implementation_->errors.size()); }

void ThreadTeam::run(const std::function<void(int)>& body) {
  Implementation& self = *implementation_;
  {
    const std::lock_guard lock(self.mutex);
    self.body = &body;
    self.working = static_cast<int>(self.threads.size());
    ++self.rounds;
  }
  self.started.notify_all();
  self.work(0);
  {
    std::unique_lock lock(self.mutex);
    self.finished.wait(lock, [&] { return self.working == 0; });
  }
  std::exception_ptr first;
  for (std::exception_ptr& error : self.errors) {
    const std::exception_ptr thrown = std::exchange(error, nullptr);
    first = first ? first : thrown;
  }
  if (first) {
    std::rethrow_exception(first);
  }
}

}  // namespace adapt
