package dev.xip.linux;

import java.util.List;
import java.util.Map;

/**
 * How a program has ended, and what it took.
 *
 * @param status as a shell has it: the exit status, or 128 and the number of the signal that ended
 *     it
 * @param reason why a signal ended it, in words; null if none did
 * @param timedOut whether the time limit ended it
 * @param processes how many processes there were, itself included
 * @param systemCalls how many system calls they made
 * @param faults how many page faults were answered
 * @param missing the numbers of system calls that gave ENOSYS, and how often each did
 * @param killedForMemory the processes that were killed because RAM was used up, in words
 * @param account what it took, in full; null unless {@link Program#accounted}
 */
public record ProgramResult(
    int status,
    String reason,
    boolean timedOut,
    long processes,
    long systemCalls,
    long faults,
    Map<Integer, Integer> missing,
    List<String> killedForMemory,
    RunAccount account) {}
