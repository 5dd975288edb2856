/** Days and clocks of the Gregorian calendar, carried on into the past and the future without end. */

export type Day = { readonly year: number; readonly month: number; readonly day: number };

const monthLengths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

export const monthNames = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
];

export const weekdayNames = [
  "Sunday",
  "Monday",
  "Tuesday",
  "Wednesday",
  "Thursday",
  "Friday",
  "Saturday",
];

export const isLeapYear = (year: number): boolean =>
  year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);

/** Months count from 1. */
export const daysOfMonth = (month: number, year: number): number =>
  month === 2 && isLeapYear(year) ? 29 : (monthLengths[month - 1] ?? 0);

/** Days of the year before a month begins. */
export function daysBeforeMonth(month: number, year: number): number {
  let days = 0;
  for (let before = 1; before < month; before += 1) days += daysOfMonth(before, year);
  return days;
}

/** Days of the proleptic calendar before a year begins, from the beginning of year 0. */
const daysBeforeYear = (year: number): number =>
  year * 365 +
  Math.floor((year + 3) / 4) -
  Math.floor((year + 99) / 100) +
  Math.floor((year + 399) / 400);

/** From year 0 to 1970. */
const epochDays = daysBeforeYear(1970);

/** Days since 1970-01-01; negative before it. */
export const daysSinceEpoch = ({ year, month, day }: Day): number =>
  daysBeforeYear(year) - epochDays + daysBeforeMonth(month, year) + day - 1;

export function dayOf(sinceEpoch: number): Day {
  const days = sinceEpoch + epochDays;
  // The mean year is a bit longer than 365 days, so a guess is off by one at most.
  let year = Math.floor(days / 365.2425);
  while (daysBeforeYear(year + 1) <= days) year += 1;
  while (daysBeforeYear(year) > days) year -= 1;
  let rest = days - daysBeforeYear(year);
  let month = 1;
  while (rest >= daysOfMonth(month, year)) {
    rest -= daysOfMonth(month, year);
    month += 1;
  }
  return { year, month, day: rest + 1 };
}

/** 0 is Sunday. */
export const weekdayOf = (sinceEpoch: number): number => (((sinceEpoch + 4) % 7) + 7) % 7;
