// What the clients in TypeScript send; the types that a generator made are asked whether it fits.
export const account = "649bdcaf5037ed113942xxxx";

export const agent = {
  emailId: "nov5uat@mailinator.com",
  firstName: "nov05",
  lastName: "agent3",
  roleId: "67654be356840f366e79xxxx",
};

export const update = {
  emailId: agent.emailId,
  firstName: agent.firstName,
  lastName: agent.lastName,
  phoneNumber: "1345678299",
  voiceLanguageSupport: [{ language: "en", proficiency: "expert" as const }],
  chatLanguageSupport: [],
  skills: [],
};

export const skillGroups = {
  data: [
    {
      _id: "6656d350463a7e1fc890xxxx",
      name: "Billing",
      description: "Questions about bills",
      status: "ACTIVE" as const,
      color: "#D2000D",
      skills: [],
      isDefault: false,
      iId: "st-1",
      createdByAId: "a-1",
    },
  ],
  metaData: { orgId: "o-1", accountId: account, type: "skillGroups" as const, userId: "u-1" },
};

/** An agent that is refused, at its `emailId`. */
export const nobody = { ...agent, emailId: "nobody" };

/** Prints what was seen as the line of JSON that the judge reads. */
export function seen(statuses: number[], created?: string, updated?: string, refused?: string): void {
  console.log(JSON.stringify({ statuses, created, updated, refused }));
}
