"""What one process has set aside of a budget, and what of it is under way: bookkeeping without a database in sight."""

from __future__ import annotations

from services.budget import NOTHING, Amount


class Purse:
    """A holder's part of a budget.

    Attributes:
        held: what the database has set aside for this holder, as of the last settlement.
        flying: set aside for calls that are under way, as estimated before they were sent.
        unsettled: taken by calls that have ended and that the database does not know of yet.
        settling: the part of it that a settlement under way is telling the database.
    """

    def __init__(self) -> None:
        self.held = self.flying = self.unsettled = self.settling = NOTHING

    @property
    def spare(self) -> Amount:
        """What may be given to new calls; negative if calls took more than was estimated."""
        return self.held - self.flying - self.unsettled - self.settling

    @property
    def has_spare(self) -> bool:
        """Whether there is anything to give back."""
        return any(part > 0 for part in self.spare.parts)

    def take(self, need: Amount) -> bool:
        """Set aside a call's need, if there is enough to spare."""
        if not need.fits(self.spare):
            return False
        self.flying += need
        return True

    def forget(self, need: Amount) -> None:
        """A call for which this was set aside is not made."""
        self.flying = (self.flying - need).most(NOTHING)

    def pay(self, need: Amount, taken: Amount) -> None:
        """A call for which `need` was set aside has ended and took `taken`."""
        self.forget(need)
        self.unsettled += taken

    def begin(self, keep_spare: bool) -> tuple[Amount, Amount]:
        """Begin a settlement.

        Returns: what was taken since the last one, and what stays set aside after it: calls under way, and what is to
        spare if that is to be kept. What is not kept can be taken no more from this moment on.
        """
        self.settling, self.unsettled = self.unsettled, NOTHING
        needed = self.flying + self.settling
        self.held = self.held.most(needed) if keep_spare else needed
        return self.settling, self.held - self.settling

    def finish(self, stays: Amount, granted: Amount) -> None:
        """The database has it: `stays` (as `begin` said) and `granted` are set aside now."""
        self.held, self.settling = stays + granted, NOTHING

    def undo(self) -> None:
        """The settlement failed: the database knows nothing of it."""
        self.unsettled, self.settling = self.unsettled + self.settling, NOTHING
