#pragma once

#include <array>
#include <memory>
#include <string_view>

#include "base/names.hpp"

namespace adapt {

class Schedule;
struct ScheduleOptions;

/// How the learning rate moves, by the name under `training.schedule.name`. To add a schedule, write a class
/// and its make_NAME_schedule (schedule.cpp), and add a word to each of the three lists below.
enum class ScheduleKind { constant, cosine, linear, multi_step, reduce_on_plateau };

/// Makes a schedule for a run (or, where that is the origin, a final phase) of `epochs`.
using MakeSchedule = std::unique_ptr<Schedule>(const ScheduleOptions& options, int epochs);

MakeSchedule make_constant_schedule;
MakeSchedule make_cosine_schedule;
MakeSchedule make_linear_schedule;
MakeSchedule make_multi_step_schedule;
MakeSchedule make_reduce_on_plateau_schedule;

struct ScheduleEntry {
  std::string_view name;
  ScheduleKind value;
  MakeSchedule* make;
};

template <>
inline constexpr auto kNames<ScheduleKind> = std::array{
    ScheduleEntry{"constant", ScheduleKind::constant, make_constant_schedule},
    ScheduleEntry{"cosine", ScheduleKind::cosine, make_cosine_schedule},
    ScheduleEntry{"linear", ScheduleKind::linear, make_linear_schedule},
    ScheduleEntry{"multi_step", ScheduleKind::multi_step, make_multi_step_schedule},
    ScheduleEntry{"reduce_on_plateau", ScheduleKind::reduce_on_plateau, make_reduce_on_plateau_schedule},
};

}  // namespace adapt
